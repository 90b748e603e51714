"""Which version of the Postgres views serves, is being filled, or was kept: the rows of `postgres_view`, and positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import psycopg

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.log import Place
from migrations import beside
from schemas.topics import GENERATION
from sinks.postgres.tables import VIEWS

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

# Any number will do, as long as it is always this one.
_LOCK: Final = 7_232_901_144_215_011


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the views that does not serve. sink: the name of its positions."""

    number: int

    @property
    def schema(self) -> str:
        return f"view_{self.number}"

    @property
    def sink(self) -> str:
        return f"view.{self.number}"


@contextmanager
def alone(dsn: str) -> Iterator[Connection]:
    """Give a connection whose session holds the lock of rebuilds. Problem where another run has it, or its killed
    session is not gone yet.
    """
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5, application_name="case-cli rebuild") as connection:
        if connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() != (True,):
            raise Problem(
                "another rebuild of this database is running",
                hint="Wait for it, or end it: a run that was interrupted can be run again.",
                exit_code=Exit.REFUSED,
            )
        yield connection


def read(connection: Connection) -> dict[str, int]:
    """Return the number of each state that there is: "serving", "filling", "kept"."""
    if connection.execute("SELECT to_regclass('public.postgres_view')").fetchone() == (None,):
        raise Problem("the database is older than this program", hint="Run `python -m migrations` first.")
    return {
        str(state): int(n) for state, n in connection.execute("SELECT state, version FROM postgres_view").fetchall()
    }


def begin(connection: Connection) -> Version:
    """Make a new version, empty. Whole or not at all."""
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO postgres_view (version, state) SELECT max(version) + 1, 'filling' FROM postgres_view RETURNING version"
        ).fetchone()
        assert row is not None
        version = Version(number=int(row[0]))
        beside.drop(connection, version.schema)
        forget_positions(connection, version.sink)
        beside.make(connection, VIEWS, version.schema)
    return version


def discard(connection: Connection, version: Version) -> None:
    """Remove a version that does not serve, with its positions. Whole or not at all."""
    with connection.transaction():
        remove(connection, version)


def remove(connection: Connection, version: Version) -> None:
    """Remove it, in the caller's transaction."""
    beside.drop(connection, version.schema)
    forget_positions(connection, version.sink)
    connection.execute("DELETE FROM postgres_view WHERE version = %s AND state <> 'serving'", (version.number,))


def alike(connection: Connection, version: Version, *, indexes: bool) -> bool:
    """Whether its tables are made as those that serve are."""
    serving = beside.structure(connection, VIEWS, beside.SERVING, indexes=indexes)
    return beside.structure(connection, VIEWS, version.schema, indexes=indexes) == serving


_SERVING: Final = (
    "SELECT sink, topic, partition, generation, next_offset FROM projection_offset WHERE sink = ANY (%s) "
    "ORDER BY sink, topic, partition"
)
_LOCKED: Final = f"{_SERVING} FOR UPDATE"


def serving_positions(connection: Connection, groups: Mapping[str, str], *, locked: bool = False) -> dict[Place, int]:
    """Return how far the views are that serve. groups: who fills them, by topic. locked: nobody moves them until the
    transaction ends.
    """
    rows = connection.execute(_LOCKED if locked else _SERVING, (list(groups.values()),)).fetchall()
    found: dict[Place, int] = {}
    for sink, topic, partition, generation, next_offset in rows:
        if groups.get(topic) != sink:
            continue
        if generation != GENERATION:
            raise Problem(
                f"{sink} is in generation {generation} of {topic}, this program knows {GENERATION}",
                hint="Let its sink begin the new generation first, or upgrade this program.",
            )
        found[Place(topic, partition)] = next_offset
    return found


def keep_positions(connection: Connection, sink: str, at: Mapping[Place, int]) -> None:
    """Store positions under a name."""
    forget_positions(connection, sink)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO projection_offset (sink, topic, partition, generation, next_offset) VALUES (%s, %s, %s, %s, %s)",
            [(sink, *place, GENERATION, next_offset) for place, next_offset in sorted(at.items())],
        )


def forget_positions(connection: Connection, sink: str) -> None:
    """Remove the positions of a name."""
    connection.execute("DELETE FROM projection_offset WHERE sink = %s", (sink,))
