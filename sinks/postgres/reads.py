"""Reads of the Postgres views, for the APIs. Each takes a connection whose transaction names the tenant.

Row-level security shows the transaction one tenant's rows. Every statement says the same again: a reader that was given
too powerful a role by mistake still sees one tenant. Rows are dicts, named like the columns of the tables.
"""

# ruff: noqa: S608 - statements are put together of this file's constants alone; values are parameters
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, LiteralString, TypeAlias
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

Connection: TypeAlias = AsyncConnection[DictRow]
Row: TypeAlias = dict[str, Any]

_OWN: Final = "tenant_id = current_setting('app.tenant')::uuid"


class CaseOrder(StrEnum):
    """By what cases are listed: the most urgent first where it ascends, open ones before closed ones.

    Equal ones the newest first where it ascends; descending is the exact reverse.
    """

    CREATED_AT = "created_at"
    PRIORITY = "priority"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The last case of the page before. rank: of its priority or status, where cases are ordered by that."""

    rank: int
    created_at: datetime
    case_id: UUID


async def case(connection: Connection, name: str) -> Row | None:
    """Return a case by its id or its key, in whatever case that is written. Archived ones too."""
    case_id = uuid_of(name)
    if case_id is not None:
        return await _one(connection, f'SELECT * FROM "case" WHERE {_OWN} AND case_id = %s', case_id)
    if "\x00" in name:
        return None
    return await _one(connection, f'SELECT * FROM "case" WHERE {_OWN} AND key = upper(%s)', name)


async def cases(
    connection: Connection,
    *,
    order: CaseOrder = CaseOrder.CREATED_AT,
    ascending: bool = False,
    limit: int,
    offset: int = 0,
    after: After | None = None,
) -> list[Row]:
    """Return a page of the cases that are not archived: by `offset`, or those that come behind `after`."""
    where, parameters = _behind(order, ascending=ascending, after=after)
    sql = f'SELECT * FROM "case" WHERE {_OWN} AND archived_at IS NULL{where} ORDER BY {_order(order, ascending=ascending)} LIMIT %s OFFSET %s'
    return await _all(connection, sql, *parameters, limit, offset)


async def cases_by_id(connection: Connection, case_ids: Sequence[str]) -> list[Row]:
    """Return the cases that are there, in the order of their ids here."""
    rows = await _all(
        connection, f'SELECT * FROM "case" WHERE {_OWN} AND case_id = ANY(%s)', [UUID(i) for i in case_ids]
    )
    by_id = {str(row["case_id"]): row for row in rows}
    return [by_id[case_id] for case_id in case_ids if case_id in by_id]


async def count_cases(connection: Connection, *, at_most: int) -> int:
    """Return how many cases are not archived, counting no further than `at_most`: the cost is bounded by it."""
    counted = await _one(
        connection,
        f'SELECT count(*) AS n FROM (SELECT 1 FROM "case" WHERE {_OWN} AND archived_at IS NULL LIMIT %s) AS bounded',
        at_most,
    )
    assert counted is not None
    return int(counted["n"])


async def comments(
    connection: Connection, case_id: UUID, *, ascending: bool = False, limit: int, offset: int = 0
) -> list[Row]:
    """Return a page of a case's comments without those that were deleted."""
    direction: LiteralString = "ASC" if ascending else "DESC"
    return await _all(
        connection,
        f"SELECT * FROM timeline_cell WHERE {_OWN} AND case_id = %s AND {_SHOWN}"
        f" ORDER BY created_at {direction}, cell_id {direction} LIMIT %s OFFSET %s",
        case_id,
        limit,
        offset,
    )


async def comment(connection: Connection, case_id: UUID | str, cell_id: UUID | str) -> Row | None:
    """Return a comment of a case, None where it was deleted or never was."""
    case_uuid, cell_uuid = uuid_of(str(case_id)), uuid_of(str(cell_id))
    if case_uuid is None or cell_uuid is None:
        return None
    sql = f"SELECT * FROM timeline_cell WHERE {_OWN} AND case_id = %s AND cell_id = %s AND {_SHOWN}"
    return await _one(connection, sql, case_uuid, cell_uuid)


async def activity(
    connection: Connection, case_id: UUID, *, ascending: bool = True, limit: int, offset: int = 0
) -> list[Row]:
    """Return a page of what happened to a case."""
    direction: LiteralString = "ASC" if ascending else "DESC"
    return await _all(
        connection,
        f"SELECT * FROM activity WHERE {_OWN} AND case_id = %s ORDER BY version {direction} LIMIT %s OFFSET %s",
        case_id,
        limit,
        offset,
    )


async def project(connection: Connection, name: str) -> Row | None:
    """Return a live project by its id or its key."""
    project_id = uuid_of(name)
    if project_id is not None:
        sql = f"SELECT * FROM project WHERE {_OWN} AND project_id = %s AND deleted_at IS NULL"
        return await _one(connection, sql, project_id)
    if "\x00" in name:
        return None
    return await _one(
        connection, f"SELECT * FROM project WHERE {_OWN} AND key = upper(%s) AND deleted_at IS NULL", name
    )


async def projects(connection: Connection) -> list[Row]:
    """Return the live projects in the order of their keys."""
    return await _all(connection, f"SELECT * FROM project WHERE {_OWN} AND deleted_at IS NULL ORDER BY key, project_id")


async def rules(connection: Connection, project_id: UUID | None = None) -> list[Row]:
    """Return the live alert rules, of one project or of all, in the order in which they apply."""
    return await _all(
        connection,
        f"SELECT * FROM automation_rule WHERE {_OWN} AND deleted_at IS NULL AND (%s::uuid IS NULL OR project_id = %s)"
        " ORDER BY project_key, created_at, rule_id",
        project_id,
        project_id,
    )


async def rule(connection: Connection, rule_id: str) -> Row | None:
    """Return a live alert rule."""
    found = uuid_of(rule_id)
    if found is None:
        return None
    sql = f"SELECT * FROM automation_rule WHERE {_OWN} AND rule_id = %s AND deleted_at IS NULL"
    return await _one(connection, sql, found)


async def routing_keys(connection: Connection) -> list[Row]:
    """Return the live routing keys, without what could be taken for the key itself."""
    return await _all(connection, f"SELECT {_ROUTING} FROM routing_key WHERE {_OWN} AND revoked_at IS NULL {_BY_AGE}")


async def receipt(connection: Connection, signal_id: str) -> Row | None:
    """Return what became of a signal, None while that is not known."""
    found = uuid_of(signal_id)
    if found is None:
        return None
    return await _one(connection, f"SELECT * FROM signal_receipt WHERE {_OWN} AND signal_id = %s", found)


async def alert(connection: Connection, alert_id: str) -> Row | None:
    """Return an alert by its id, `H/dedup_key`."""
    if "\x00" in alert_id:
        return None
    return await _one(connection, f"SELECT * FROM alert WHERE {_OWN} AND alert_id = %s", alert_id)


async def alerts(
    connection: Connection, *, project_key: str | None, open_only: bool, limit: int, offset: int = 0
) -> list[Row]:
    """Return a page of the alerts, the one that changed last first."""
    wanted: LiteralString = " AND status <> 'RESOLVED'" if open_only else ""
    return await _all(
        connection,
        f"SELECT * FROM alert WHERE {_OWN} AND (%s::text IS NULL OR project_key = upper(%s)){wanted}"
        " ORDER BY changed_at DESC, alert_id LIMIT %s OFFSET %s",
        project_key,
        project_key,
        limit,
        offset,
    )


async def alert_case(connection: Connection, alert_id: str) -> Row | None:
    """Return the id of the case that the alert's last folded signal went to."""
    return await _one(
        connection,
        f"SELECT case_id FROM signal_receipt WHERE {_OWN} AND alert_id = %s AND case_id IS NOT NULL"
        " ORDER BY settled_at DESC LIMIT 1",
        alert_id,
    )


def uuid_of(text: str) -> UUID | None:
    """Return the UUID that a text is, None where it is none. Only the usual form, with hyphens, counts."""
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


# Without an author: the event that added the cell has not been seen.
_SHOWN: Final = "deleted_at IS NULL AND author <> ''"
_ROUTING: Final = "routing_id, version, project_id, project_key, created_at"
_BY_AGE: Final = "ORDER BY created_at, routing_id"

# These expressions are those of the indexes: written otherwise, a page would sort all of a tenant's cases.
_RANKS: Final[dict[CaseOrder, LiteralString]] = {
    CaseOrder.PRIORITY: "(CASE priority WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 WHEN 'P3' THEN 3 WHEN 'P4' THEN 4 WHEN 'P5' THEN 5 ELSE 6 END)",
    CaseOrder.STATUS: "(CASE status WHEN 'OPEN' THEN 1 WHEN 'IN_PROGRESS' THEN 2 ELSE 3 END)",
}


def _order(order: CaseOrder, *, ascending: bool) -> LiteralString:
    rank = _RANKS.get(order)
    if rank is None:
        return "created_at ASC, case_id ASC" if ascending else "created_at DESC, case_id DESC"
    if ascending:
        return f"{rank} ASC, created_at DESC, case_id DESC"
    return f"{rank} DESC, created_at ASC, case_id ASC"


def _behind(order: CaseOrder, *, ascending: bool, after: After | None) -> tuple[LiteralString, tuple[Any, ...]]:
    if after is None:
        return "", ()
    at = (after.created_at, after.case_id)
    rank = _RANKS.get(order)
    if rank is None:
        further: LiteralString = ">" if ascending else "<"
        return f" AND (created_at, case_id) {further} (%s, %s)", at
    higher, later = (">", "<") if ascending else ("<", ">")
    sql = f" AND {rank} {higher}= %s AND ({rank} {higher} %s OR (created_at, case_id) {later} (%s, %s))"
    return sql, (after.rank, after.rank, *at)


async def _one(connection: Connection, sql: LiteralString, *parameters: Any) -> Row | None:
    return await (await connection.execute(sql, parameters)).fetchone()


async def _all(connection: Connection, sql: LiteralString, *parameters: Any) -> list[Row]:
    return await (await connection.execute(sql, parameters)).fetchall()
