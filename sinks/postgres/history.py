"""Reads of a case as it was, for the APIs. Rules as in `sinks.postgres.reads`, and rows of the same shape."""

# ruff: noqa: S608 - the condition is one of this file's own; values are parameters
from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from sinks.postgres.case_row import shown
from sinks.postgres.reads import Connection, Row


async def case_at_version(connection: Connection, case_id: UUID, version: int) -> Row | None:
    """Return what `reads.case` gave while the case was at this version, None where that is not kept."""
    return await _shown(connection, "version = %s", case_id, version)


async def case_at(connection: Connection, case_id: UUID, at: datetime) -> Row | None:
    """Return what `reads.case` gave at this moment, None where nothing is kept that had happened by then.

    By the times that `activity` shows. Where those of two changes cross, as clocks do, the later version counts.
    """
    return await _shown(connection, "occurred_at <= %s", case_id, at)


async def _shown(connection: Connection, which: LiteralString, case_id: UUID, value: Any) -> Row | None:
    cursor = await connection.execute(
        "SELECT tenant_id, state FROM case_version WHERE tenant_id = current_setting('app.tenant')::uuid"
        f" AND case_id = %s AND {which} ORDER BY version DESC LIMIT 1",
        (case_id, value),
    )
    found = await cursor.fetchone()
    return None if found is None else shown(str(found["tenant_id"]), found["state"])
