"""`case-cli rules`: alert rules, with conditions as a person writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.cli.case.condition import condition, seconds, span, written
from infra.cli.case.problem import Problem
from schemas.rest.alert_rule import rule_data
from tests.unit.cli.case.documents import PROJECT_ID, project
from tests.unit.cli.case.fake_api import NOW, Api, Run

PATH = "/api/v2/alert-rules"
RULE_ID = "5b0e5b0e-0000-4000-8000-000000000001"
ONE = f"{PATH}/{RULE_ID}"


def rule(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rule_id": RULE_ID,
        "project_id": PROJECT_ID,
        "project_key": "OPS",
        "name": "One case a service",
        "kind": "group",
        "enabled": True,
        "conditions": [{"field": "env", "operator": "not_equals", "value": "staging"}],
        "group_by": ["service", "region"],
        "window_seconds": 1800,
        "version": 4,
        "created_at": NOW - timedelta(days=1),
        "modified_at": None,
    }
    return rule_data({**row, **changes})


def test_list_shows_what_each_rule_does(api: Api, run: Run) -> None:
    document = {"data": [rule(), rule(name="Quiet", kind="suppress", enabled=False, conditions=[], group_by=[])]}
    api.answers("GET", PATH, document)

    assert run("rules", "list").out.splitlines() == [
        "ID                                    PROJECT  KIND            NAME                WHEN          BY",
        f"{RULE_ID}  OPS      group           One case a service  env!=staging  service, region",
        f"{RULE_ID}  OPS      suppress (off)  Quiet               every alert",
    ]
    assert run("rules", "list", "--json").json == document


def test_list_of_one_project(api: Api, run: Run) -> None:
    api.answers("GET", PATH, {"data": []})

    shown = run("rules", "list", "-p", "ops")

    assert shown.err == "No rules in Acme On-Call: each open alert is a case of its own.\n"
    assert dict(api.last.url.params) == {"filter[project]": "ops"}


def test_get_shows_a_rule(api: Api, run: Run) -> None:
    api.answers("GET", ONE, {"data": rule()})

    assert run("rules", "get", RULE_ID).out == (
        "One case a service\n"
        f"Id          {RULE_ID}\n"
        "Project     OPS\n"
        "Kind        group\n"
        "Enabled     yes\n"
        "When        env!=staging\n"
        "By          service, region\n"
        "Window      30m\n"
        "Created     2026-02-28 14:05 CET (1 d ago)\n"
    )


def test_create_sends_conditions_groups_and_window(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/projects", {"data": [project()]})
    api.answers("POST", PATH, httpx.Response(201, json={"data": rule()}))

    shown = run(
        *(
            "rules",
            "create",
            "One case a service",
            "--kind",
            "GROUP",
            "--when",
            "env!=staging",
            "--when",
            "summary~disk",
        ),
        *("--by", "service", "--by", "region", "--window", "30m", "--idempotency-key", "k"),
    )

    assert (shown.out, shown.err) == ("Created rule One case a service\n", f"id {RULE_ID}\n")
    assert api.last.headers["Idempotency-Key"] == "k"
    assert api.body() == {
        "data": {
            "type": "alert_rule",
            "attributes": {
                "name": "One case a service",
                "kind": "group",
                "enabled": True,
                "conditions": [
                    {"field": "env", "operator": "not_equals", "value": "staging"},
                    {"field": "summary", "operator": "contains", "value": "disk"},
                ],
                "group_by": ["service", "region"],
                "window_seconds": 1800,
                "project_id": PROJECT_ID,
            },
        }
    }


def test_a_rule_that_suppresses_everything_must_be_meant(api: Api, run: Run) -> None:
    shown = run("rules", "create", "Quiet", "--kind", "suppress")

    assert shown.exit_code == 2
    assert "This would suppress every alert." in shown.err
    assert api.asked == []


def test_update_replaces_what_is_named_at_the_version_that_was_read(api: Api, run: Run) -> None:
    api.answers("GET", ONE, {"data": rule()})
    api.answers("PUT", ONE, {"data": rule(enabled=False)})

    shown = run("rules", "update", RULE_ID, "--disable", "--window", "none")

    assert shown.out == "Updated rule One case a service\n"
    assert api.last.headers["If-Match"] == '"4"'
    assert api.body()["data"]["attributes"] == {
        "name": "One case a service",
        "enabled": False,
        "conditions": [{"field": "env", "operator": "not_equals", "value": "staging"}],
        "group_by": ["service", "region"],
    }
    assert run("rules", "update", RULE_ID).exit_code == 2


def test_delete_shows_what_was_deleted(api: Api, run: Run) -> None:
    api.answers("GET", ONE, {"data": rule()})
    api.answers("DELETE", ONE, httpx.Response(204))

    assert run("rules", "delete", RULE_ID, "--yes").out == "Deleted rule One case a service\n"
    assert run("rules", "delete", RULE_ID, "-y", "--json").json == {"data": rule()}
    assert run("rules", "delete", RULE_ID).exit_code == 2


@pytest.mark.parametrize(
    ("text", "field", "operator", "value"),
    [
        ("env=prod", "env", "equals", "prod"),
        ("env=", "env", "equals", ""),
        ("env!=prod", "env", "not_equals", "prod"),
        ("host~db", "host", "contains", "db"),
        ("host^=db-", "host", "starts_with", "db-"),
        ("owner", "owner", "exists", ""),
        ("a=b=c!=d", "a", "equals", "b=c!=d"),
        (" a =x", "a", "equals", "x"),
    ],
)
def test_conditions_are_read_and_written(text: str, field: str, operator: str, value: str) -> None:
    read = condition(text)

    assert read == {"field": field, "operator": operator, "value": value}
    assert condition(written([read])) == read


@pytest.mark.parametrize("text", ["", "=x", "!=x", " ", "a^b", "a!b"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="is not a condition"):
        condition(text)


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90), ("90", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("none", None)]
)
def test_spans_are_read(text: str, value: int | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "0m", "-5m", "1.5h", "5w", "٣m"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="is not a span of time"):
        seconds(text)


def test_spans_are_written_in_the_largest_unit_that_fits() -> None:
    assert [span(n) for n in (1, 90, 600, 5400, 7200, 86400, None)] == ["1s", "90s", "10m", "90m", "2h", "1d", ""]
