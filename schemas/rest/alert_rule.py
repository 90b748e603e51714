"""An alert rule as a JSON:API resource, from a row of view `automation_rule`. Ours: the public API has no such resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.rest.value import moment


def rule_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource. conditions: [{"field", "operator", "value"}], which must all hold."""
    attributes = {
        "project_id": str(row["project_id"]),
        "project_key": row["project_key"],
        "name": row["name"],
        "kind": row["kind"],
        "enabled": row["enabled"],
        "conditions": row["conditions"],
        "group_by": list(row["group_by"]),
        "window_seconds": row["window_seconds"],
        "version": row["version"],
        "created_at": moment(row["created_at"]),
        "modified_at": moment(row["modified_at"]),
    }
    related = {"project": {"data": {"id": str(row["project_id"]), "type": "project"}}}
    return {"id": str(row["rule_id"]), "type": "alert_rule", "attributes": attributes, "relationships": related}


def rule_document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": rule_data(row)}


def rules_document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"data": [rule_data(row) for row in rows]}
