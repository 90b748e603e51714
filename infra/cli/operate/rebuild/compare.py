"""Compares a version of the Postgres views with what the log says, and with the version that serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql

from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.truth import Difference, Name, State, differences
from migrations.beside import SERVING
from sinks.postgres.tables import KEYS

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_PAGE: Final = 10_000
_VERSIONED: Final = ("tenant", "credential", "routing_key", "project", "automation_rule", "case", "alert")


def cases(
    connection: Connection, schema: str, newest: Newest, among: Collection[Name] | None = None
) -> list[Difference]:
    """Return the cases that are not as the log says, by version and state hash. among: of these alone."""
    expected = newest.cases
    asked = sql.SQL("SELECT tenant_id::text, case_id::text, version, state_hash FROM {}").format(
        sql.Identifier(schema, "case")
    )
    given: list[Any] = []
    if among is not None:
        asked += sql.SQL(" WHERE (tenant_id, case_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))")
        given = [[name.tenant_id for name in among], [name.case_id for name in among]]
        expected = {name: expected[name] for name in among if name in expected}
    shown: dict[Name, State] = {}
    with connection.transaction(), connection.cursor("states") as cursor:
        cursor.itersize = _PAGE
        for tenant_id, case_id, version, digest in cursor.execute(asked, given):
            shown[Name(tenant_id, case_id)] = State(version, bytes(digest).hex())
    return [found for found in differences(expected, shown) if found.name not in newest.refused]


def others(connection: Connection, schema: str, newest: Newest) -> list[str]:
    """Return what else is not as the log says, in words: versions of all other aggregates, and rows that are missing."""
    said: list[str] = []
    for table in _VERSIONED:
        if table == "case":
            continue
        own = KEYS[table][-1]
        rows = connection.execute(
            sql.SQL("SELECT tenant_id::text, {}::text, version FROM {}").format(
                sql.Identifier(own), sql.Identifier(schema, table)
            )
        ).fetchall()
        shown = {Name(tenant_id, aggregate_id): version for tenant_id, aggregate_id, version in rows}
        said += _versions(table, newest.rows.get(table, {}), shown, newest.refused)
    if newest.refused:
        return said
    counted = {"signal_receipt": len(newest.receipts)}
    if not newest.faults:
        counted |= {"activity": newest.events, "case_version": newest.events, "timeline_cell": newest.cells}
    for table, expected in counted.items():
        found = _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table)))
        if found != expected:
            said.append(f"{table} has {found} rows, the log says {expected}")
    attributes = _one(connection, sql.SQL(_ATTRIBUTES).format(sql.Identifier(schema, "case")))
    found = _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, "custom_attribute")))
    if found != attributes:
        said.append(f"custom_attribute has {found} rows, the cases have {attributes} attributes")
    return said


_ATTRIBUTES: Final = "SELECT count(*) FROM (SELECT jsonb_object_keys(attributes) FROM {}) AS named"


def changed(connection: Connection, schema: str) -> dict[str, int]:
    """Return by table how many rows say something else than those that serve, at the same version: what was mended."""
    found: dict[str, int] = {}
    for table in _VERSIONED:
        names = [
            str(name)
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
                (SERVING, table),
            ).fetchall()
        ]
        same = sql.SQL(" AND ").join(
            sql.SQL("a.{0} = b.{0}").format(sql.Identifier(key)) for key in (*KEYS[table], "version")
        )
        left, right = (
            sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.Identifier(side), sql.Identifier(name)) for name in names)
            for side in ("a", "b")
        )
        count = _one(
            connection,
            sql.SQL("SELECT count(*) FROM {} a JOIN {} b ON {} WHERE ({}) IS DISTINCT FROM ({})").format(
                sql.Identifier(SERVING, table), sql.Identifier(schema, table), same, left, right
            ),
        )
        if count:
            found[table] = count
    return found


def _versions(table: str, log: Mapping[Name, int], view: Mapping[Name, int], refused: set[Name]) -> list[str]:
    return [
        f"{table} {name.case_id} of tenant {name.tenant_id} has version {view.get(name)}, the log has {log.get(name)}"
        for name in sorted(log.keys() | view.keys())
        if log.get(name) != view.get(name) and name not in refused
    ]


def _one(connection: Connection, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
