"""What happened to a case, entry by entry, from rows of view `activity`. Ours: the public API has no such operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.rest.value import moment


def activity_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource. change: {"field", "old", "new"} as far as the change has them, and what names the thing."""
    attributes = {
        "kind": row["kind"],
        "version": row["version"],
        "actor": row["actor"],
        "occurred_at": moment(row["occurred_at"]),
        "change": row["change"],
        "correlation_id": str(row["correlation_id"]),
    }
    related = {"case": {"data": {"id": str(row["case_id"]), "type": "case"}}}
    return {"id": str(row["event_id"]), "type": "activity", "attributes": attributes, "relationships": related}


def activity_document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"data": [activity_data(row) for row in rows]}


def live_entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a live stream tells of an event: the entry, and the case as it is now, as far as the log was read.

    row: of `activity`, with the case's columns as `case_KEY`.
    """
    case = {
        "id": str(row["case_id"]),
        "key": row["case_key"],
        "title": row["case_title"],
        "status": row["case_status"],
        "status_name": row["case_status_name"],
        "priority": row["case_priority"],
        "version": row["case_version"],
        "project_id": str(row["case_project_id"]),
    }
    return {**activity_data(row), "case": case}
