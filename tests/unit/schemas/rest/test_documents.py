"""The rendered documents, read by the public client: nothing of them may be left unparsed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from datadog_api_client import Configuration
from datadog_api_client.model_utils import validate_and_convert_types
from datadog_api_client.v2.model.case_response import CaseResponse
from datadog_api_client.v2.model.cases_response import CasesResponse
from datadog_api_client.v2.model.project_response import ProjectResponse
from datadog_api_client.v2.model.projects_response import ProjectsResponse
from datadog_api_client.v2.model.timeline_response import TimelineResponse

from schemas.rest.activity import activity_document
from schemas.rest.case import case_data, case_document
from schemas.rest.page import page_document
from schemas.rest.project import project_document, projects_document
from schemas.rest.timeline import timeline_document
from schemas.rest.value import moment

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
USER = "0190f5a2-0000-7000-8000-000000000001"


def case_row(**changes: Any) -> dict[str, Any]:
    row = {
        "tenant_id": UUID(int=1),
        "case_id": UUID(int=2),
        "version": 7,
        "project_id": UUID(int=3),
        "project_key": "OPS",
        "number": 12,
        "key": "OPS-12",
        "type_id": UUID("00000000-0000-0000-0000-000000000001"),
        "title": "disk full 💥",
        "description": "a\nb",
        "status": "IN_PROGRESS",
        "status_name": "In Progress",
        "priority": "P2",
        "assignee_id": USER,
        "attributes": {"team": ["db", "web"]},
        "resolved_reason": "fixed",
        "due_date": "2026-03-01",
        "created_at": AT,
        "created_by": f"user:{USER}",
        "modified_at": AT,
        "modified_by": f"user:{USER}",
        "closed_at": AT,
        "archived_at": AT,
        "alerts": [{"alert_id": "0123456789abcdef/a", "status": "RESOLVED", "seq": 3, "triggers": 2}],
        "group_key": None,
        "comments": 4,
        "state_hash": b"",
    }
    return {**row, **changes}


def bare_case_row() -> dict[str, Any]:
    optional = ("assignee_id", "resolved_reason", "due_date", "modified_at", "modified_by", "closed_at", "archived_at")
    return case_row(
        **dict.fromkeys(optional), created_by="integration:pagerduty", attributes={}, alerts=[], description=""
    )


def project_row(**changes: Any) -> dict[str, Any]:
    row = {
        "project_id": UUID(int=3),
        "version": 2,
        "key": "OPS",
        "name": "Operations",
        "team_uuid": None,
        "enabled_custom_case_types": ["00000000-0000-0000-0000-000000000001"],
        "restricted": False,
        "settings": None,
        "columns_config": None,
        "created_at": AT,
        "modified_at": None,
        "deleted_at": None,
    }
    return {**row, **changes}


def cell_row(**changes: Any) -> dict[str, Any]:
    row = {
        "cell_id": UUID(int=5),
        "author": f"user:{USER}",
        "message": "hello",
        "created_at": AT,
        "modified_at": None,
        "deleted_at": None,
    }
    return {**row, **changes}


def read(kind: type[Any], document: dict[str, Any]) -> Any:
    """Return the document as the public client has it after a request."""
    configuration = Configuration()  # type: ignore[no-untyped-call]
    return validate_and_convert_types(  # type: ignore[no-untyped-call]
        json.loads(json.dumps(document)), (kind,), ["received_data"], True, True, configuration
    )


def unparsed(model: Any, path: str = "") -> list[str]:
    """Return where the client gave up."""
    if isinstance(model, list):
        return [p for i, item in enumerate(model) for p in unparsed(item, f"{path}[{i}]")]
    if isinstance(model, dict):
        return [p for name, item in model.items() for p in unparsed(item, f"{path}.{name}")]
    found = [path] if getattr(model, "_unparsed", False) else []
    store = getattr(model, "_data_store", None) or {}
    return found + [p for name, item in store.items() for p in unparsed(item, f"{path}.{name}")]


@pytest.mark.parametrize("row", [case_row(), bare_case_row(), case_row(assignee_id=None)])
def test_a_case_leaves_nothing_unparsed(row: dict[str, Any]) -> None:
    response = read(CaseResponse, case_document(row))
    assert unparsed(response) == []
    attributes = response.data.attributes
    assert str(attributes.status) == row["status"]
    assert attributes.created_at == AT
    assert attributes.archived_at == row["archived_at"]
    assert attributes.attributes.to_dict() == row["attributes"]
    assert response.data.id == str(row["case_id"])
    assert response.data.relationships.project.data.id == str(row["project_id"])
    assignee = response.data.relationships.assignee.data
    assert (None if assignee is None else assignee.id) == row["assignee_id"]


def test_what_the_client_does_not_type_is_kept() -> None:
    attributes = read(CaseResponse, case_document(case_row())).data.attributes
    assert attributes["version"] == 7
    assert attributes["due_date"] == date(2026, 3, 1)
    assert attributes["resolved_reason"] == "fixed"
    assert attributes["alerts"][0]["alert_id"] == "0123456789abcdef/a"
    assert attributes["comment_count"] == 4


def test_who_is_no_user_is_named_and_is_no_relationship() -> None:
    data = case_data(bare_case_row())
    assert data["relationships"]["created_by"] == {"data": None}
    assert data["attributes"]["created_by"] == "integration:pagerduty"


def test_a_page_says_where_it_stands() -> None:
    document = page_document([case_data(case_row())], number=3, size=2, matching=5, next_cursor="abc")
    response = read(CasesResponse, document)
    assert unparsed(response) == []
    page = response.meta.page
    assert (page.current, page.size, page.total) == (3, 1, 3)
    assert response.meta["total_cases"] == 5


@pytest.mark.parametrize(
    "row",
    [
        project_row(),
        project_row(
            team_uuid=USER,
            modified_at=AT,
            settings={"auto_close_inactive_cases": {"enabled": True, "max_inactive_time_in_secs": 60}},
            columns_config={"columns": [{"sort": {"ascending": True, "priority": 1}, "type": "status"}]},
        ),
    ],
)
def test_a_project_leaves_nothing_unparsed(row: dict[str, Any]) -> None:
    response = read(ProjectResponse, project_document(row))
    assert unparsed(response) == []
    assert response.data.attributes.key == "OPS"
    assert unparsed(read(ProjectsResponse, projects_document([row, row]))) == []


@pytest.mark.parametrize(
    ("row", "author"),
    [
        (cell_row(), USER),
        (cell_row(modified_at=AT), USER),
        (cell_row(author="integration:slack"), "integration:slack"),
    ],
)
def test_a_comment_leaves_nothing_unparsed(row: dict[str, Any], author: str) -> None:
    response = read(TimelineResponse, timeline_document([row]))
    assert unparsed(response) == []
    cell = response.data[0].attributes
    assert cell.cell_content.message == "hello"
    assert cell.author.content.id == author


def test_the_check_itself_sees_what_is_unparsed() -> None:
    document = case_document(case_row(status="OPEN"))
    document["data"]["attributes"]["priority"] = "P9"
    assert unparsed(read(CaseResponse, document)) != []


def test_an_activity_entry_names_actor_and_both_values() -> None:
    row = {
        "case_id": UUID(int=2),
        "version": 2,
        "event_id": UUID(int=9),
        "kind": "case_status_changed",
        "actor": f"user:{USER}",
        "occurred_at": AT,
        "change": {"field": "status", "old": "OPEN", "new": "CLOSED"},
        "correlation_id": UUID(int=8),
    }
    (entry,) = activity_document([row])["data"]
    assert entry["attributes"]["change"] == {"field": "status", "old": "OPEN", "new": "CLOSED"}
    assert entry["attributes"]["actor"] == f"user:{USER}"
    assert entry["attributes"]["occurred_at"] == "2026-01-02T03:04:05.678901Z"


def test_times_have_four_digits_of_the_year_and_microseconds() -> None:
    assert moment(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
    assert moment(None) is None
