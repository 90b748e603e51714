"""Reads of a case as it was, for the APIs. Rules as in `sinks.postgres.reads`, and rows of the same shape."""

# ruff: noqa: S608 - statements are put together of this file's constants alone; values are parameters
from __future__ import annotations

from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from sinks.postgres.case_row import shown
from sinks.postgres.reads import Connection, Row


async def case_at_version(connection: Connection, case_id: UUID, version: int) -> Row | None:
    """Return what `reads.case` gave while the case was at this version, None where that is not kept."""
    return await _shown(connection, "%(version)s", {"case_id": case_id, "version": version})


async def case_at(connection: Connection, case_id: UUID, at: datetime) -> Row | None:
    """Return what `reads.case` gave at this moment, None where nothing is kept that had happened by then.

    By the times that `activity` shows. Where those of two changes cross, as clocks do, the later version counts.
    """
    # From the index alone: a case of 100 000 versions is searched in some 5 ms.
    newest: LiteralString = f"(SELECT max(version) FROM case_version WHERE {_OF_CASE} AND occurred_at <= %(at)s)"
    return await _shown(connection, newest, {"case_id": case_id, "at": at})


_OF_CASE: Final = "tenant_id = current_setting('app.tenant')::uuid AND case_id = %(case_id)s"


async def _shown(connection: Connection, version: LiteralString, values: dict[str, Any]) -> Row | None:
    sql = f"SELECT tenant_id, state FROM case_version WHERE {_OF_CASE} AND version = {version}"
    found = await (await connection.execute(sql, values)).fetchone()
    return None if found is None else shown(str(found["tenant_id"]), found["state"])
