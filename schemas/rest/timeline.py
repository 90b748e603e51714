"""Comments as timeline cells, the one kind that the public client types, from rows of view `timeline_cell`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.rest.value import moment, user_of


def cell_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource. Authors are known by id alone; who is no user is named as the log names him."""
    attributes: dict[str, Any] = {
        "type": "COMMENT",
        "author": {"type": "USER", "content": {"id": user_of(row["author"]) or row["author"]}},
        "cell_content": {"message": row["message"]},
        "created_at": moment(row["created_at"]),
    }
    # The client types these as times that are there or not, never null.
    for name in ("modified_at", "deleted_at"):
        if row[name] is not None:
            attributes[name] = moment(row[name])
    return {"id": str(row["cell_id"]), "type": "timeline_cell", "attributes": attributes}


def timeline_document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"data": [cell_data(row) for row in rows]}
