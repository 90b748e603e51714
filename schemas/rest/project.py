"""A project as a JSON:API resource, from a row of view `project`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.rest.value import moment


def project_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource. Settings and columns that were never set are left out."""
    attributes: dict[str, Any] = {
        "key": row["key"],
        "name": row["name"],
        "restricted": row["restricted"],
        "enabled_custom_case_types": list(row["enabled_custom_case_types"]),
        "version": row["version"],
        "created_at": moment(row["created_at"]),
        "modified_at": moment(row["modified_at"]),
    }
    for name in ("team_uuid", "settings", "columns_config"):
        if row[name] is not None:
            attributes[name] = row[name]
    return {"id": str(row["project_id"]), "type": "project", "attributes": attributes}


def project_document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": project_data(row)}


def projects_document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"data": [project_data(row) for row in rows]}
