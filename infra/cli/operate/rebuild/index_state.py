"""Which index is being filled or was kept, and how far each is: rows of `projection_offset` under names of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg

from infra.cli.case.problem import Problem
from infra.cli.operate.log import Place
from schemas.topics import GENERATION

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

FILLING: Final = "index.filling."
KEPT: Final = "index.kept."

# Any number will do, as long as it is always this one.
_LOCK: Final = 7_232_901_144_215_012


@contextmanager
def alone(dsn: str) -> Iterator[Connection]:
    """Give a connection whose session holds the lock of rebuilds of the index. Problem where another run has it."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5, application_name="case-cli rebuild") as connection:
        if connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() != (True,):
            raise Problem(
                "another rebuild of this index is running",
                hint="Wait for it, or end it: a run that was interrupted can be run again.",
            )
        yield connection


def named(connection: Connection, state: str) -> list[str]:
    """Return the indices that are in this state."""
    rows = connection.execute(
        "SELECT DISTINCT substr(sink, %s) FROM projection_offset WHERE starts_with(sink, %s) ORDER BY 1",
        (len(state) + 1, state),
    ).fetchall()
    return [str(index) for (index,) in rows]


_SERVING: Final = (
    "SELECT topic, partition, generation, next_offset FROM projection_offset WHERE sink = %s AND topic = %s "
    "ORDER BY partition"
)
_LOCKED: Final = f"{_SERVING} FOR UPDATE"


def serving(connection: Connection, group: str, topic: str, *, locked: bool = False) -> dict[Place, int]:
    """Return how far the index is that serves, which `group` fills. locked: nobody moves it until the transaction ends."""
    rows = connection.execute(_LOCKED if locked else _SERVING, (group, topic)).fetchall()
    if any(generation != GENERATION for _, _, generation, _ in rows):
        raise Problem(f"{group} is not in generation {GENERATION} of {topic}, which this program knows")
    return {Place(topic, partition): next_offset for topic, partition, _, next_offset in rows}


def keep(connection: Connection, sink: str, at: Mapping[Place, int]) -> None:
    """Store positions under a name."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO projection_offset (sink, topic, partition, generation, next_offset) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (sink, topic, partition) DO UPDATE SET "
            "generation = excluded.generation, next_offset = excluded.next_offset",
            [(sink, *place, GENERATION, next_offset) for place, next_offset in sorted(at.items())],
        )


def forget(connection: Connection, sink: str) -> None:
    """Remove the positions of a name."""
    connection.execute("DELETE FROM projection_offset WHERE sink = %s", (sink,))
