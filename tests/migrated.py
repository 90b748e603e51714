"""A database at the newest schema, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import conninfo, sql

from migrations.roles import APP_ROLE, SINK_ROLE
from migrations.runner import migrate
from tests.passwords import APP_PASSWORD, SINK_PASSWORD

VIEWS: Final = (
    "tenant",
    "credential",
    "routing_key",
    "project",
    "automation_rule",
    "case",
    "custom_attribute",
    "timeline_cell",
    "activity",
    "case_version",
    "alert",
    "signal_receipt",
    "command_outcome",
)
"""The tables that the Postgres sink writes."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """DSNs of one database: of its owner, of the application role, of the sink role."""

    owner: str
    app: str
    sink: str

    @classmethod
    def of(cls, owner: str) -> Migrated:
        """Migrate the owner's database."""
        migrate(owner, app_password=APP_PASSWORD, sink_password=SINK_PASSWORD)
        return cls(
            owner,
            conninfo.make_conninfo(owner, user=APP_ROLE, password=APP_PASSWORD),
            conninfo.make_conninfo(owner, user=SINK_ROLE, password=SINK_PASSWORD),
        )

    def empty(self) -> None:
        """Leave no row in any table but the migrations'."""
        tables = sql.SQL(", ").join(map(sql.Identifier, (*VIEWS, "idempotency_key", "projection_offset")))
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(sql.SQL("TRUNCATE {}").format(tables))

    def rows(self, *tables: str) -> dict[str, list[Any]]:
        """Return all rows of these tables (none named: of all views), in the order of their keys."""
        with psycopg.connect(self.sink, autocommit=True) as connection:
            return {
                name: connection.execute(
                    sql.SQL("SELECT to_jsonb(t) FROM {} AS t ORDER BY to_jsonb(t)::text").format(sql.Identifier(name))
                ).fetchall()
                for name in tables or VIEWS
            }

    def ask(self, text: str, *parameters: Any) -> list[Any]:
        """Return what a query of the sink role gives."""
        with psycopg.connect(self.sink, autocommit=True) as connection:
            cursor = connection.execute(text.encode(), parameters)
            return cursor.fetchall() if cursor.description else []
