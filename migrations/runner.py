"""Brings a Postgres database to the newest schema: numbered files, each applied once, in order, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal, TypeAlias, cast

import psycopg
from psycopg import sql

from migrations.roles import APP_ROLE, SINK_ROLE, ensure_role

Phase: TypeAlias = Literal["pre", "post", "all"]
_NAME: Final = re.compile(r"(\d{4})_(pre|post)_([a-z0-9_]+)\.sql")
# Any number will do, as long as it is always this one.
_LOCK: Final = 7_232_901_144_215_003


class MigrationRefused(Exception):  # noqa: N818 - it is read aloud
    """The database was left as it was; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file. phase: `pre` runs before the new code does, and old code must stand it; `post` runs after."""

    number: int
    phase: str
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return sha256(self.text.encode()).hexdigest()


def load(folder: Traversable | None = None) -> list[Migration]:
    """Return the migrations of a folder (None: those of this package), in order. Raises MigrationRefused."""
    folder = files("migrations") / "postgres" if folder is None else folder
    found: dict[int, Migration] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationRefused(f"{file.name} is not named NNNN_pre_slug.sql or NNNN_post_slug.sql")
        number = int(match[1])
        if number in found:
            raise MigrationRefused(f"{file.name} and {found[number].name}.sql have the same number")
        found[number] = Migration(
            number=number, phase=match[2], name=file.name.removesuffix(".sql"), text=file.read_text()
        )
    return list(found.values())


def migrate(
    dsn: str,
    *,
    app_password: str,
    sink_password: str,
    phase: Phase = "all",
    app_role: str = APP_ROLE,
    sink_role: str = SINK_ROLE,
    folder: Traversable | None = None,
) -> list[str]:
    """Apply what is missing and return the names of what was applied. Several may run at once; it may be repeated.

    dsn: of the owner, who may create roles. The roles are the server's, not the database's: databases that share a
    server and a role name share its password. Raises MigrationRefused, and psycopg.Error with nothing half done.
    """
    migrations = load(folder)
    with psycopg.connect(dsn, autocommit=True) as connection, _alone(connection):
        applied = _history(connection)
        due = plan(migrations, applied, phase)
        ensure_role(connection, app_role, app_password)
        ensure_role(connection, sink_role, sink_password)
        for migration in due:
            _apply(connection, migration, {"app": app_role, "sink": sink_role})
    return [migration.name for migration in due]


def plan(migrations: list[Migration], applied: dict[int, tuple[str, str]], phase: Phase) -> list[Migration]:
    """Return what is to be applied. applied: number -> (name, checksum). Raises MigrationRefused."""
    known = {m.number: m for m in migrations}
    for number, (name, checksum) in applied.items():
        migration = known.get(number)
        if migration is None:
            raise MigrationRefused(
                f"the database has migration {name}, which this version does not know: upgrade first"
            )
        if migration.checksum != checksum:
            raise MigrationRefused(
                f"migration {name} was changed after it had been applied; restore the file and add a new one"
            )
    due = [m for m in migrations if m.number not in applied and phase in {"all", m.phase}]
    if phase == "post" and due:
        early = [
            m.name for m in migrations if m.phase == "pre" and m.number not in applied and m.number < due[-1].number
        ]
        if early:
            raise MigrationRefused(f"{due[0].name} comes after {early[0]}, which is not applied: run phase pre first")
    return due


@contextmanager
def _alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold the lock that keeps other runners on this database waiting."""
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _history(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, str]]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (number integer PRIMARY KEY, name text NOT NULL, "
        "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = connection.execute("SELECT number, name, checksum FROM schema_migration ORDER BY number").fetchall()
    return {number: (name, checksum) for number, name, checksum in rows}


def _apply(connection: psycopg.Connection[Any], migration: Migration, roles: dict[str, str]) -> None:
    text = migration.text
    for name, role in roles.items():
        # As psql writes variables: :"name" is an identifier, :'name' a text.
        text = text.replace(f':"{name}"', sql.Identifier(role).as_string(connection))
        text = text.replace(f":'{name}'", sql.Literal(role).as_string(connection))
    with connection.transaction():
        # Our own files, as they are: without parameters the whole file goes to the server as one script.
        connection.execute(cast("Any", text))
        connection.execute(
            "INSERT INTO schema_migration (number, name, checksum) VALUES (%s, %s, %s)",
            (migration.number, migration.name, migration.checksum),
        )
