"""A routing key as a JSON:API resource, from a row of view `routing_key`. Ours: the public API has no such resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.rest.value import moment


def routing_key_data(row: Mapping[str, Any], routing_key: str | None = None) -> dict[str, Any]:
    """Return the resource. routing_key: the key itself, which only the answer to its creation shows."""
    attributes: dict[str, Any] = {
        "project_id": str(row["project_id"]),
        "project_key": row["project_key"],
        "version": row["version"],
        "created_at": moment(row["created_at"]),
    }
    if routing_key is not None:
        attributes["routing_key"] = routing_key
    related = {"project": {"data": {"id": str(row["project_id"]), "type": "project"}}}
    return {"id": str(row["routing_id"]), "type": "routing_key", "attributes": attributes, "relationships": related}


def routing_key_document(row: Mapping[str, Any], routing_key: str | None = None) -> dict[str, Any]:
    return {"data": routing_key_data(row, routing_key)}


def routing_keys_document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"data": [routing_key_data(row) for row in rows]}
