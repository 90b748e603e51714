"""Bodies about cases: each shape that is refused, with the field that says where."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import BaseModel

from command_api.bodies import case as bodies
from infra.runtime.http import parse
from infra.runtime.problems import Problem

USER = "0190f5a2-0000-7000-8000-00000000000a"
CREATE: dict[str, Any] = {
    "data": {
        "type": "case",
        "attributes": {"title": "disk full", "type_id": "00000000-0000-0000-0000-000000000001"},
        "relationships": {
            "project": {"data": {"type": "project", "id": "0190f5a2-0000-7000-8000-00000000000b"}},
            "assignee": {"data": {"type": "user", "id": USER}},
        },
    }
}
MISSING = object()


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with another value at `path`; MISSING takes the field away."""
    made = copy.deepcopy(document)
    *heads, last = path.split(".")
    at: Any = made
    for head in heads:
        at = at.setdefault(head, {})
    if value is MISSING:
        del at[last]
    else:
        at[last] = value
    return made


def refusal(model: type[BaseModel], document: Any) -> dict[str | None, str]:
    """The faults of a document: field to code. All refusals of shapes are 400."""
    with pytest.raises(Problem) as refused:
        parse(model, document)
    assert refused.value.status == 400
    return {fault.field: fault.code for fault in refused.value.faults}


def only(attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "case"}
    return {"data": data if attributes is None else {**data, "attributes": attributes}}


@pytest.mark.parametrize(
    ("path", "value", "field", "code"),
    [
        ("data", MISSING, "data", "request.field_missing"),
        ("data", [], "data", "request.field_invalid"),
        ("data.type", "project", "data.type", "request.field_invalid"),
        ("data.type", MISSING, "data.type", "request.field_missing"),
        ("data.attributes", MISSING, "data.attributes", "request.field_missing"),
        ("data.attributes", "title", "data.attributes", "request.field_invalid"),
        ("data.attributes.title", MISSING, "data.attributes.title", "request.field_missing"),
        ("data.attributes.title", 7, "data.attributes.title", "request.field_invalid"),
        ("data.attributes.title", None, "data.attributes.title", "request.field_invalid"),
        ("data.attributes.type_id", MISSING, "data.attributes.type_id", "request.field_missing"),
        ("data.attributes.description", ["a"], "data.attributes.description", "request.field_invalid"),
        ("data.attributes.priority", "P9", "data.attributes.priority", "request.field_invalid"),
        ("data.attributes.priority", 1, "data.attributes.priority", "request.field_invalid"),
        ("data.attributes.status", "OPEN", "data.attributes.status", "request.field_unknown"),
        ("data.attributes.custom_attributes", [], "data.attributes.custom_attributes", "request.field_invalid"),
        ("data.relationships", MISSING, "data.relationships", "request.field_missing"),
        ("data.relationships.project", MISSING, "data.relationships.project", "request.field_missing"),
        (
            "data.relationships.project.data.type",
            "case",
            "data.relationships.project.data.type",
            "request.field_invalid",
        ),
        ("data.relationships.project.data.id", 3, "data.relationships.project.data.id", "request.field_invalid"),
        ("data.relationships.assignee.data.id", "me", "data.relationships.assignee.data.id", "request.field_invalid"),
        (
            "data.relationships.assignee.data.type",
            "userx",
            "data.relationships.assignee.data.type",
            "request.field_invalid",
        ),
        ("data.relationships.watchers", {}, "data.relationships.watchers", "request.field_unknown"),
    ],
)
def test_a_case_that_is_written_wrongly_is_refused_with_the_field(path: str, value: Any, field: str, code: str) -> None:
    assert refusal(bodies.NewBody, changed(CREATE, path, value)) == {field: code}


def test_every_fault_of_a_body_is_told_at_once() -> None:
    document = changed(changed(CREATE, "data.attributes.title", 1), "data.attributes.priority", "high")

    assert set(refusal(bodies.NewBody, document)) == {"data.attributes.title", "data.attributes.priority"}


@pytest.mark.parametrize("document", [[], "case", 1, None])
def test_a_body_that_is_no_object_is_refused(document: Any) -> None:
    assert refusal(bodies.TitleBody, document) == {"body": "request.field_invalid"}


@pytest.mark.parametrize(
    "place", ["tenant_id", "data.tenant_id", "data.attributes.tenant_id", "data.attributes.org_id"]
)
def test_a_tenant_that_a_body_names_is_ignored(place: str) -> None:
    body = parse(bodies.NewBody, changed(CREATE, place, "0190f5a2-0000-7000-8000-00000000000c"))

    assert body == parse(bodies.NewBody, CREATE)


@pytest.mark.parametrize(
    ("model", "attributes", "field"),
    [
        (bodies.TitleBody, {"title": True}, "title"),
        (bodies.DescriptionBody, {"description": None}, "description"),
        (bodies.PriorityBody, {"priority": "P1234"}, "priority"),
        (bodies.StatusBody, {"status": "OPENED"}, "status"),
        (bodies.AssigneeBody, {"assignee_id": "invalid-uuid"}, "assignee_id"),
        (bodies.TagBody, {"attributes": {"service": "web-store"}}, "attributes.service"),
        (bodies.TagBody, {"attributes": {"service": ["web", 1]}}, "attributes.service.1"),
        (bodies.CommentBody, {"comment": {"message": "hello"}}, "comment"),
        (bodies.DueDateBody, {"due_date": "tomorrow"}, "due_date"),
        (bodies.DueDateBody, {"due_date": "20260301"}, "due_date"),
        (bodies.DueDateBody, {"due_date": "2026-02-30"}, "due_date"),
        (bodies.DueDateBody, {}, "due_date"),
        (bodies.ReasonBody, {"security_resolved_reason": None}, "security_resolved_reason"),
    ],
)
def test_a_change_that_is_written_wrongly_is_refused_with_the_field(
    model: type[BaseModel], attributes: dict[str, Any], field: str
) -> None:
    assert list(refusal(model, only(attributes))) == [f"data.attributes.{field}"]


@pytest.mark.parametrize(
    "model",
    [
        bodies.TitleBody,
        bodies.DescriptionBody,
        bodies.StatusBody,
        bodies.PriorityBody,
        bodies.AssigneeBody,
        bodies.TagBody,
        bodies.CommentBody,
        bodies.DueDateBody,
        bodies.ReasonBody,
    ],
)
def test_every_change_refuses_what_it_does_not_know(model: type[BaseModel]) -> None:
    assert refusal(model, only({"colour": "red"}))["data.attributes.colour"] == "request.field_unknown"


def test_a_status_is_said_by_value_or_name() -> None:
    assert parse(bodies.StatusBody, only({"status": "OPEN"})).data.attributes.status_name is None
    assert parse(bodies.StatusBody, only({"status_name": "Open"})).data.attributes.status is None


@pytest.mark.parametrize("said", [None, ""])
def test_no_due_date_is_said_by_null_or_nothing(said: str | None) -> None:
    assert parse(bodies.DueDateBody, only({"due_date": said})).data.attributes.due_date is None


def test_an_assignee_of_nobody_is_nobody() -> None:
    body = parse(bodies.NewBody, changed(CREATE, "data.relationships.assignee.data", None))

    assert body.data.relationships.assignee is not None
    assert body.data.relationships.assignee.data is None


def test_a_body_that_says_nothing_must_still_be_about_a_case() -> None:
    assert refusal(bodies.CaseOnlyBody, {"data": {"type": "project"}}) == {"data.type": "request.field_invalid"}
    assert parse(bodies.CaseOnlyBody, only()).data.type == "case"
