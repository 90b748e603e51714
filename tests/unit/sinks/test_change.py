"""What an activity row says of an event."""

from __future__ import annotations

from typing import Any

import pytest

from sinks.postgres.change import change
from streams.cases import events as e
from streams.cases.case import STANDARD_TYPE, Priority, Status
from streams.text import Sealed

TEXT = Sealed.plain

CHANGES: list[tuple[e.CaseEvent, dict[str, Any]]] = [
    (e.CaseTitleChanged(title=TEXT("b"), before=TEXT("a")), {"field": "title", "old": "a", "new": "b"}),
    (e.CaseDescriptionChanged(description=TEXT("b"), before=TEXT("")), {"field": "description", "old": "", "new": "b"}),
    (
        e.CaseStatusChanged(status=Status.CLOSED, before=Status.OPEN),
        {"field": "status", "old": "OPEN", "new": "CLOSED"},
    ),
    (
        e.CasePriorityChanged(priority=Priority.P1, before=Priority.NOT_DEFINED),
        {"field": "priority", "old": "NOT_DEFINED", "new": "P1"},
    ),
    (e.CaseAssigned(assignee_id="u", before=None), {"field": "assignee_id", "old": None, "new": "u"}),
    (e.CaseUnassigned(before="u"), {"field": "assignee_id", "old": "u", "new": None}),
    (
        e.CaseAttributesChanged(attributes={"a": ("1", "2")}, before={}),
        {"field": "attributes", "old": {}, "new": {"a": ("1", "2")}},
    ),
    (e.CommentAdded(comment_id="c", message=TEXT("hi")), {"field": "comment", "cell_id": "c", "new": "hi"}),
    (e.CommentEdited(comment_id="c", message=TEXT("ho")), {"field": "comment", "cell_id": "c", "new": "ho"}),
    (e.CommentDeleted(comment_id="c"), {"field": "comment", "cell_id": "c", "new": None}),
    (e.CaseArchived(), {"field": "archived", "old": False, "new": True}),
    (e.CaseUnarchived(), {"field": "archived", "old": True, "new": False}),
    (e.CaseDueDateChanged(due_date="2031-01-01", before=None), {"field": "due_date", "old": None, "new": "2031-01-01"}),
    (
        e.CaseResolvedReasonChanged(reason=TEXT("r"), before=None),
        {"field": "resolved_reason", "old": None, "new": "r"},
    ),
    (
        e.AlertAttached(alert_id="H/k", seq=1, title=TEXT("t")),
        {"field": "alert", "alert_id": "H/k", "new": "TRIGGERED", "title": "t"},
    ),
    (
        e.AlertRetriggered(alert_id="H/k", seq=2, title=TEXT("t")),
        {"field": "alert", "alert_id": "H/k", "new": "TRIGGERED", "title": "t"},
    ),
    (e.AlertAcknowledged(alert_id="H/k", seq=3), {"field": "alert", "alert_id": "H/k", "new": "ACKNOWLEDGED"}),
    (e.AlertResolved(alert_id="H/k", seq=4), {"field": "alert", "alert_id": "H/k", "new": "RESOLVED"}),
    (
        e.CaseOpened(
            project_id="p", project_key="OPS", number=7, type_id=STANDARD_TYPE, title=TEXT("t"), alert_id="H/k", seq=1
        ),
        {
            "new": {
                "project_id": "p",
                "key": "OPS-7",
                "type_id": STANDARD_TYPE,
                "title": "t",
                "status": "OPEN",
                "priority": "NOT_DEFINED",
                "assignee_id": None,
                "attributes": {},
                "alert_id": "H/k",
            }
        },
    ),
]


@pytest.mark.parametrize(("event", "said"), CHANGES, ids=lambda value: type(value).__name__)
def test_it_names_the_field_with_its_old_and_new_value(event: e.CaseEvent, said: dict[str, Any]) -> None:
    assert change(event) == said


def test_every_event_of_a_case_is_covered_here() -> None:
    assert {type(event) for event, _ in CHANGES} == set(e.CaseEvent.__args__)


def test_encrypted_text_is_a_placeholder() -> None:
    sealed = Sealed(b"\xff\xfe", key_id="k1")

    assert change(e.CommentAdded(comment_id="c", message=sealed))["new"] == "[sealed]"
