"""Bodies about projects, alert rules and routing keys."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from command_api.bodies import alert_rule, project, routing_key
from infra.runtime.http import parse
from infra.runtime.problems import Problem

PROJECT = "0190f5a2-0000-7000-8000-00000000000b"
RULE: dict[str, Any] = {"project_id": PROJECT, "kind": "group", "name": "by service", "group_by": ["service"]}


def body(kind: str, attributes: Any) -> dict[str, Any]:
    return {"data": {"type": kind, "attributes": attributes}}


def fields(model: type[BaseModel], document: Any) -> list[str | None]:
    with pytest.raises(Problem) as refused:
        parse(model, document)
    assert refused.value.status == 400
    return [fault.field for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ({"name": "Operations"}, "key"),
        ({"key": "OPS"}, "name"),
        ({"key": 1, "name": "Operations"}, "key"),
        ({"key": "OPS", "name": "Operations", "team_uuid": "us"}, "team_uuid"),
        ({"key": "OPS", "name": "Operations", "enabled_custom_case_types": ["x"]}, "enabled_custom_case_types.0"),
        ({"key": "OPS", "name": "Operations", "settings": {}}, "settings"),
    ],
)
def test_a_project_that_is_written_wrongly_is_refused_with_the_field(attributes: dict[str, Any], field: str) -> None:
    assert fields(project.NewBody, body("project", attributes)) == [f"data.attributes.{field}"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"auto_close_inactive_cases": {"enabled": "yes"}}, "auto_close_inactive_cases.enabled"),
        ({"notification": {"destinations": [1, "2"]}}, "notification.destinations.1"),
        (
            {"integration_jira": {"sync": {"properties": {"title": {"x": 1}}}}},
            "integration_jira.sync.properties.title.x",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_are_judged_in_all_their_depth(settings: dict[str, Any], field: str) -> None:
    document = body("project", {"settings": settings})

    assert fields(project.ChangedBody, document) == [f"data.attributes.settings.{field}"]


def test_a_change_of_a_project_may_say_nothing() -> None:
    assert parse(project.ChangedBody, {"data": {"type": "project"}}).data.attributes.name is None
    assert fields(project.ChangedBody, {"data": {"type": "invalid_type"}}) == ["data.type"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "drop"}, "kind"),
        ({"project_id": "OPS"}, "project_id"),
        ({"conditions": [{"field": "service", "operator": "like"}]}, "conditions.0.operator"),
        ({"conditions": [{"operator": "exists"}]}, "conditions.0.field"),
        ({"conditions": [{"field": "a", "operator": "exists", "values": []}]}, "conditions.0.values"),
        ({"window_seconds": "60"}, "window_seconds"),
        ({"window_seconds": True}, "window_seconds"),
        ({"enabled": 1}, "enabled"),
        ({"state": "ENABLED"}, "state"),
    ],
)
def test_a_rule_that_is_written_wrongly_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    assert fields(alert_rule.NewBody, body("alert_rule", {**RULE, **change})) == [f"data.attributes.{field}"]


def test_a_rule_that_is_replaced_need_not_say_what_is_fixed() -> None:
    new = parse(alert_rule.ReplacedBody, body("alert_rule", {"name": "by service"})).data.attributes

    assert (new.project_id, new.kind) == (None, None)


def test_a_routing_key_leads_to_a_project() -> None:
    assert fields(routing_key.NewBody, body("routing_key", {})) == ["data.attributes.project_id"]
    assert fields(routing_key.NewBody, body("key", {"project_id": PROJECT})) == ["data.type"]
