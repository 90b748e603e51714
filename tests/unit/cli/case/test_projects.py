"""`case-cli projects`."""

from __future__ import annotations

import io

import httpx
import pytest

from infra.cli.case import input as case_input
from tests.unit.cli.case.documents import CASE_ID, PROJECT_ID, project
from tests.unit.cli.case.fake_api import Api, Run

PATH = "/api/v2/cases/projects"
ONE = f"{PATH}/{PROJECT_ID}"


def test_list_shows_keys_names_and_ids(api: Api, run: Run) -> None:
    document = {"data": [project(), project("PAY", "Payments", CASE_ID)]}
    api.answers("GET", PATH, document)

    assert run("projects", "list").out.splitlines() == [
        "KEY  NAME        ID",
        f"OPS  Operations  {PROJECT_ID}",
        f"PAY  Payments    {CASE_ID}",
    ]
    assert run("projects", "list", "--json").json == document


def test_an_empty_list_says_how_to_create_one(api: Api, run: Run) -> None:
    api.answers("GET", PATH, {"data": []})

    assert run("projects", "list").err == "No projects. Create one: case-cli projects create KEY NAME\n"


@pytest.mark.parametrize("name", ["OPS", "ops", PROJECT_ID])
def test_get_takes_a_key_in_any_case_or_an_id(api: Api, run: Run, name: str) -> None:
    api.answers("GET", PATH, {"data": [project("PAY", "Payments", CASE_ID), project()]})
    api.answers("GET", ONE, {"data": project()})

    assert run("projects", "get", name).out == (
        f"OPS  Operations\nId          {PROJECT_ID}\nCreated     2026-02-26 14:05 CET (3 d ago)\n"
    )


def test_create_sends_key_and_name(api: Api, run: Run) -> None:
    api.answers("POST", PATH, httpx.Response(201, json={"data": project("PAY", "Payments")}))

    shown = run("projects", "create", "PAY", "Payments", "--idempotency-key", "k")

    assert (shown.out, shown.err) == ("Created PAY  Payments\n", f"id {PROJECT_ID}\n")
    assert api.body() == {"data": {"type": "project", "attributes": {"key": "PAY", "name": "Payments"}}}
    assert api.last.headers["Idempotency-Key"] == "k"


def test_update_changes_what_is_named(api: Api, run: Run) -> None:
    api.answers("GET", PATH, {"data": [project()]})
    api.answers("PATCH", ONE, {"data": project(name="New")})

    assert run("projects", "update", "OPS", "--name", "New").out == "Updated OPS  New\n"
    assert api.body() == {"data": {"type": "project", "attributes": {"name": "New"}}}
    assert run("projects", "update", "OPS").exit_code == 2


def test_delete_asks_nobody_where_nobody_is_there(api: Api, run: Run) -> None:
    api.answers("GET", PATH, {"data": [project()]})

    shown = run("projects", "delete", "OPS")

    assert shown.exit_code == 2
    assert "Say yes beforehand with --yes." in shown.err
    assert api.lines() == [f"GET {PATH}"]


def test_delete_with_yes_shows_what_was_deleted(api: Api, run: Run) -> None:
    api.answers("GET", PATH, {"data": [project()]})
    api.answers("DELETE", ONE, httpx.Response(204))

    assert run("projects", "delete", "OPS", "--yes").out == "Deleted OPS  Operations\n"
    assert run("projects", "delete", "OPS", "-y", "--json").json == {"data": project()}


@pytest.mark.parametrize(("answer", "exit_code", "deleted"), [("y\n", 0, True), ("n\n", 1, False)])
def test_delete_asks_a_person(
    api: Api, run: Run, monkeypatch: pytest.MonkeyPatch, *, answer: str, exit_code: int, deleted: bool
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    class Sys:
        stdin = Terminal()

    monkeypatch.setattr(case_input, "sys", Sys)
    api.answers("GET", PATH, {"data": [project()]})
    api.answers("DELETE", ONE, httpx.Response(204))

    shown = run("projects", "delete", "OPS", stdin=answer)

    assert shown.exit_code == exit_code
    assert "Delete project OPS?" in shown.err
    assert (f"DELETE {ONE}" in api.lines()) is deleted
