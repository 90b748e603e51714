"""How far the index is, kept in Postgres beside the positions of the other sinks, by the same statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from infra.runtime.errors import NewerWriter
from sinks.base import Fenced
from sinks.postgres.queries import array, query
from sinks.postgres.store import Store

CHANNEL: Final = "casestream_visible"
"""Notified, with the sink's name, whenever more of an index can be found."""


class Stored(NamedTuple):
    """next: the first offset that is not in the index, 0 where nothing is, wherever the log begins. visible: the first
    that is not found yet.
    """

    next: int
    visible: int


class StoredPositions:
    """The rows of one sink and topic in `projection_offset`. For one thread.

    All methods raise StoreUnavailable while Postgres is away.
    """

    def __init__(self, dsn: str, *, sink: str, topic: str, generation: int) -> None:
        self._store = Store(dsn)
        self._sink = sink
        self._topic = topic
        self._generation = generation
        self._held: dict[int, int] = {}

    def begin(self, partitions: Sequence[int]) -> dict[int, Stored]:
        """Return the positions. A partition that has none, or one of an earlier generation of the topic, begins at 0.

        Raises NewerWriter where a position is of a later generation than this process knows.
        """
        asked = {"sink": self._sink, "topic": self._topic, "partition": array(partitions)}
        with self._store.session() as connection:
            connection.execute(query("begin_position"), {**asked, "generation": self._generation})
            rows = connection.execute(query("read_visible_position"), asked).fetchall()
        newer = [generation for _, generation, _, _ in rows if generation > self._generation]
        if newer:
            raise NewerWriter(f"{self._topic} is of generation {newer[0]}, this process knows {self._generation}")
        stored = {partition: Stored(next_offset, visible) for partition, _, next_offset, visible in rows}
        self._held = {partition: at.next for partition, at in stored.items()}
        return stored

    def expect(self, begins: Mapping[int, int]) -> None:
        """Raise Fenced where a batch does not begin at what is stored: a process that was passed by another does not
        even begin to write. Only `advance` is sure of it.
        """
        asked = {"sink": self._sink, "topic": self._topic, "partition": array(begins)}
        with self._store.session() as connection:
            rows = connection.execute(query("read_position"), asked, prepare=True).fetchall()
        stored = {
            partition: next_offset for partition, generation, next_offset in rows if generation == self._generation
        }
        for partition, begin in begins.items():
            held = self._held.get(partition)
            if held is None or held != stored.get(partition) or (held and held != begin):
                raise Fenced(f"partition {partition}: the batch begins at {begin}, stored is {stored.get(partition)}")

    def advance(self, nexts: Mapping[int, int]) -> None:
        """Store the next positions: of all partitions or of none. Raises Fenced where one is not where it was left."""
        with self._store.session() as connection, connection.transaction():
            expected = array(self._held[partition] for partition in nexts)
            moving = {**self._names(nexts), "expected": expected}
            moved = connection.execute(query("move_position"), moving, prepare=True).rowcount
            if moved != len(nexts):
                raise Fenced(f"{self._sink}: not at {[(p, self._held[p]) for p in nexts]} any more")
        self._held |= nexts

    def show(self, nexts: Mapping[int, int]) -> None:
        """Say that everything before these positions can be found, and wake who waits for it. Never goes back."""
        with self._store.session() as connection, connection.transaction():
            if connection.execute(query("show_position"), self._names(nexts)).rowcount:
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, self._sink))

    def close(self) -> None:
        self._store.close()

    def _names(self, nexts: Mapping[int, int]) -> dict[str, str | int]:
        return {
            "sink": self._sink,
            "topic": self._topic,
            "generation": self._generation,
            "partition": array(nexts),
            "next_offset": array(nexts.values()),
        }
