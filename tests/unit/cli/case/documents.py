"""Documents as the API makes them: rows of the views through the renderers that the API itself uses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from schemas.rest.activity import activity_data, live_entry
from schemas.rest.case import case_data
from schemas.rest.project import project_data
from schemas.rest.timeline import cell_data
from tests.unit.cli.case.fake_api import NOW

CASE_ID = "3f1c2a7e-0b6d-4a53-9d0c-2f6f1a1b7f10"
USER_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PROJECT_ID = "11111111-1111-4111-8111-111111111111"
ALERT_ID = "0123456789abcdef/db1-disk"


def case(number: int = 12, **changes: Any) -> dict[str, Any]:
    """A case resource; `changes` are columns of its row."""
    row: dict[str, Any] = {
        "case_id": CASE_ID,
        "version": 3,
        "project_id": PROJECT_ID,
        "project_key": "OPS",
        "number": number,
        "key": f"OPS-{number}",
        "type_id": "00000000-0000-0000-0000-000000000001",
        "title": "Checkout is slow",
        "description": "",
        "status": "OPEN",
        "status_name": "Open",
        "priority": "P2",
        "assignee_id": None,
        "attributes": {},
        "resolved_reason": None,
        "due_date": None,
        "created_at": NOW - timedelta(hours=2),
        "created_by": f"user:{USER_ID}",
        "modified_at": NOW - timedelta(minutes=5),
        "modified_by": f"user:{USER_ID}",
        "closed_at": None,
        "archived_at": None,
        "alerts": [],
        "group_key": None,
        "comments": 0,
    }
    return case_data({**row, **changes})


def project(key: str = "OPS", name: str = "Operations", project_id: str = PROJECT_ID) -> dict[str, Any]:
    row = {
        "project_id": project_id,
        "key": key,
        "name": name,
        "restricted": False,
        "enabled_custom_case_types": [],
        "version": 1,
        "created_at": NOW - timedelta(days=3),
        "modified_at": None,
        "team_uuid": None,
        "settings": None,
        "columns_config": None,
    }
    return project_data(row)


def comment(message: str, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cell_id": "c1a0c1a0-0000-4000-8000-000000000001",
        "author": f"user:{USER_ID}",
        "message": message,
        "created_at": NOW - timedelta(minutes=10),
        "modified_at": None,
        "deleted_at": None,
    }
    return cell_data({**row, **changes})


def entry(kind: str, change: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An activity entry."""
    return activity_data(_entry_row(kind, change, **changes))


def live(kind: str, change: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An entry of the live stream."""
    return live_entry(_entry_row(kind, change, **changes))


def _entry_row(kind: str, change: dict[str, Any], **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "event_id": "e0e0e0e0-0000-4000-8000-000000000001",
        "case_id": CASE_ID,
        "kind": kind,
        "version": 4,
        "actor": f"user:{USER_ID}",
        "occurred_at": NOW,
        "change": change,
        "correlation_id": "c0c0c0c0-0000-4000-8000-000000000001",
        "case_key": "OPS-12",
        "case_title": "Checkout is slow",
        "case_status": "IN_PROGRESS",
        "case_status_name": "In Progress",
        "case_priority": "P2",
        "case_version": 4,
        "case_project_id": PROJECT_ID,
    }
    return {**row, **changes}


def refusal(status: int, code: str, detail: str, field: str | None = None, **headers: str) -> httpx.Response:
    """An answer that refuses, in the API's form."""
    from infra.runtime.problems import problem

    refused = problem(status, code, detail, field=field)
    return httpx.Response(status, json=refused.to_json(), headers=headers)


def page(
    cases: list[dict[str, Any]], *, matching: int | None = None, number: int = 1, size: int = 25
) -> dict[str, Any]:
    from schemas.rest.page import page_document

    return page_document(cases, number=number, size=size, matching=len(cases) if matching is None else matching)
