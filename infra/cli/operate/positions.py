"""How far every group is, by what counts for it: a view's own stored position, a stage's or source's commit in Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.where import Where
from schemas.topics import GENERATION
from topologies.graph import TOPOLOGY, Topology

VIEW: Final = "view"
STAGE: Final = "stage"
SOURCE: Final = "source"


class Reader(NamedTuple):
    """A group and the topic it reads. kind: "view", "stage" or "source"."""

    group: str
    topic: str
    kind: str


class Stored(NamedTuple):
    """A row of `projection_offset`."""

    generation: int
    next: int
    visible: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a group stands in one partition. position: the next offset that it will take; None where it never began.

    stored: of a view, its position in Postgres. committed: the one in Kafka, for views only a hint.
    """

    reader: Reader
    partition: int
    bounds: Bounds
    stored: Stored | None = None
    committed: int | None = None

    @property
    def position(self) -> int | None:
        if self.reader.kind != VIEW:
            return self.committed
        stored = self.stored
        return None if stored is None or stored.generation != GENERATION else stored.next

    @property
    def lag(self) -> int:
        """Return how many records are not taken yet."""
        position = self.position
        start = self.bounds.start if position is None else max(position, self.bounds.start)
        return max(self.bounds.end - start, 0)

    @property
    def trouble(self) -> str:
        """Return what takes a person, empty where nothing does."""
        position = self.position
        if self.stored is not None and self.stored.generation != GENERATION:
            return f"of generation {self.stored.generation}, not {GENERATION}"
        if position is None:
            return ""
        if 0 < position < self.bounds.start:
            return f"before the log's start: {self.bounds.start - position} records are lost"
        if position > self.bounds.end:
            return "past the log's end: was the topic made anew?"
        return ""


def readers(topology: Topology = TOPOLOGY) -> tuple[Reader, ...]:
    """Return every group that reads a topic, in the order of the pipeline."""
    return (
        *(Reader(s.group, s.reads, SOURCE) for s in topology.sources if s.group and s.reads),
        *(Reader(s.group, s.reads, STAGE) for s in topology.stages),
        *(Reader(f.group, f.topic, VIEW) for f in topology.sinks),
    )


def standings(
    who: Iterable[Reader],
    bounds: Mapping[Place, Bounds],
    committed: Mapping[str, Mapping[Place, int]],
    stored: Mapping[tuple[str, Place], Stored],
) -> list[Standing]:
    """Put together where everybody stands. Pure."""
    return [
        Standing(
            reader=reader,
            partition=place.partition,
            bounds=span,
            stored=stored.get((reader.group, place)),
            committed=committed.get(reader.group, {}).get(place),
        )
        for reader in who
        for place, span in sorted(bounds.items())
        if place.topic == reader.topic
    ]


def look(where: Where, who: Iterable[Reader]) -> list[Standing]:
    """Ask Kafka and Postgres. Positions are read before the ends, so that a lag is never below what it was."""
    who = tuple(who)
    log = Log(where.kafka)
    stored = read_stored(where.postgres) if any(r.kind == VIEW for r in who) else {}
    committed = {reader.group: log.committed(reader.group) for reader in who}
    return standings(who, log.bounds(r.topic for r in who), committed, stored)


def read_stored(dsn: str) -> dict[tuple[str, Place], Stored]:
    """Return all rows of `projection_offset`, by sink and place."""
    import psycopg

    with psycopg.connect(dsn, connect_timeout=5) as connection:
        rows = connection.execute(
            "SELECT sink, topic, partition, generation, next_offset, visible_next_offset FROM projection_offset"
        ).fetchall()
    return {(sink, Place(topic, partition)): Stored(*at) for sink, topic, partition, *at in rows}
