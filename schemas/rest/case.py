"""A case as a JSON:API resource, from a row of view `case`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.rest.value import moment, user, user_of

STATUS_GROUPS: Final = {"OPEN": "SG_OPEN", "IN_PROGRESS": "SG_IN_PROGRESS", "CLOSED": "SG_CLOSED"}


def case_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource. Beside the public API's attributes: `version` (for expected versions), `due_date`,
    `resolved_reason`, `comment_count`, `alerts`, and `created_by`, which names who is no user ("integration:NAME").
    """
    attributes = {
        "key": row["key"],
        "title": row["title"],
        "description": row["description"],
        "status": row["status"],
        "status_name": row["status_name"],
        "status_group": STATUS_GROUPS[row["status"]],
        "priority": row["priority"],
        "type": "STANDARD",
        "type_id": str(row["type_id"]),
        "attributes": row["attributes"],
        "custom_attributes": {},
        "created_at": moment(row["created_at"]),
        "modified_at": moment(row["modified_at"]),
        "closed_at": moment(row["closed_at"]),
        "archived_at": moment(row["archived_at"]),
        "due_date": row["due_date"],
        "resolved_reason": row["resolved_reason"],
        "version": row["version"],
        "comment_count": row["comments"],
        "alerts": row["alerts"],
        "created_by": row["created_by"],
    }
    relationships = {
        "project": {"data": {"id": str(row["project_id"]), "type": "project"}},
        "assignee": user(row["assignee_id"]),
        "created_by": user(user_of(row["created_by"])),
        "modified_by": user(user_of(row["modified_by"])),
    }
    return {"id": str(row["case_id"]), "type": "case", "attributes": attributes, "relationships": relationships}


def case_document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": case_data(row)}
