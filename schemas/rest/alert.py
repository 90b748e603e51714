"""Alerts and receipts of signals as JSON:API resources, from rows of their views. Ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.rest.value import moment


def alert_data(row: Mapping[str, Any], case_id: UUID | None = None) -> dict[str, Any]:
    """Return an alert. case_id: of the case that its last folded signal went to, where that was looked up."""
    attributes = {
        "project_key": row["project_key"],
        "status": row["status"],
        "dedup_key": row["alert_id"].partition("/")[2],
        "episode": row["episode"],
        "triggers": row["triggers"],
        "opened_at": moment(row["opened_at"]),
        "changed_at": moment(row["changed_at"]),
        "version": row["version"],
    }
    data: dict[str, Any] = {"id": row["alert_id"], "type": "alert", "attributes": attributes}
    if case_id is not None:
        data["relationships"] = _case(case_id)
    return data


def receipt_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what became of a signal. state: folded, deduplicated, suppressed, dropped, rejected or dead_lettered."""
    attributes = {
        "state": row["receipt"],
        "reason": row["reason"] or None,
        "alert_id": row["alert_id"],
        "settled_at": moment(row["settled_at"]),
    }
    case_id = row["case_id"]
    return {
        "id": str(row["signal_id"]),
        "type": "signal",
        "attributes": attributes,
        "relationships": {"case": {"data": None}} if case_id is None else _case(case_id),
    }


def _case(case_id: UUID) -> dict[str, Any]:
    return {"case": {"data": {"id": str(case_id), "type": "case"}}}
