"""Drives a topology without a broker: bytes in, bytes out, and nothing happens unless told.

A record piped in is folded by the stage that reads its topic, and so are all records that this leads to, in the order
of the log. `crash` and `rewind` do to a stage what a kill does: its input comes again, with or without the rows that it
had written. A record to a topic that its stage does not declare is an error of the topology and raises.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from schemas import codec
from schemas.codec import Decoded
from streams.clock import CLOCK, SECOND, tick
from streams.envelope import Envelope
from topologies.graph import TOPOLOGY, Topology
from topologies.guard import split
from topologies.partition import partition_of
from topologies.runner import StageFold
from topologies.step import Outgoing, Record, RowGroup
from topologies.ticking import FIRED_PER_TICK
from topologies.timers import scan


class MemoryRows:
    """The rows of one partition, in memory."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes, /) -> bytes | None:
        return self.rows.get(key)

    def due(self, upto: int, /) -> list[tuple[int, bytes]]:
        """Look at every row: what an index of the timers must come to."""
        return scan(self.rows, upto)

    def write(self, groups: Iterable[RowGroup]) -> None:
        for group in groups:
            for key, row in group:
                if row is None:
                    self.rows.pop(key, None)
                else:
                    self.rows[key] = row


class Crash(NamedTuple):
    """Where on the way a stage dies: after how many of its sends, and groups of rows."""

    sends: int
    rows: int = 0


ALL_SENT: Final = Crash(sends=sys.maxsize)


class TopologyTestDriver:
    """All stages of a topology over an in-memory log.

    batch: how many records a stage folds at once. fired_per_tick: how many timers of a partition one tick lets fire. Topics
    hold their records for good, so a test may read any. now: milliseconds since 1970; it is moved by hand alone.
    """

    def __init__(
        self,
        topology: Topology = TOPOLOGY,
        *,
        partitions: int = 4,
        batch: int = 500,
        fired_per_tick: int = FIRED_PER_TICK,
        now: int = 1_900_000_000_000,
    ) -> None:
        self.topology = topology
        self.partitions = partitions
        self.batch = batch
        self.now = now
        self.causes: list[tuple[str, str]] = []
        self.logs: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        self.rows: dict[tuple[str, int], MemoryRows] = defaultdict(MemoryRows)
        self.positions: dict[tuple[str, int], int] = defaultdict(int)
        self._drained: dict[tuple[str, int], int] = defaultdict(int)
        self._folds = {
            stage.name: StageFold(
                stage,
                partitions=partitions,
                on_dead=lambda name, cause: self.causes.append((name, cause)),
                fired_per_tick=fired_per_tick,
            )
            for stage in topology.stages
        }

    def pipe(self, topic: str, key: str, envelope: Envelope, body: Any) -> None:
        """Append a command and run until nothing is left to fold."""
        self.pipe_bytes(topic, key.encode(), codec.encode(envelope, body))

    def put(self, topic: str, key: str, envelope: Envelope, body: Any) -> None:
        """Append a command, and fold nothing yet."""
        self.append(Outgoing(topic, None, key.encode(), codec.encode(envelope, body)))

    def pipe_bytes(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self.append(Outgoing(topic, None, key, value))
        self.run()

    def append(self, record: Outgoing) -> None:
        """Append a record, and fold nothing yet."""
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key or b"", self.partitions)
        self.logs[record.topic, partition].append(record._replace(partition=partition))

    def advance(self, span: int) -> None:
        """Let `span` milliseconds pass: one tick a second, as the clock says them, and all that they lead to."""
        until = self.now + span
        while self.now < until:
            self.now = min(self.now + SECOND, until)
            self.tick()

    def tick(self, at: int | None = None) -> None:
        """Say what time it is, by itself that of `now`, to every stage that ticks, and run until nothing is left to fold."""
        self.put_tick(self.now if at is None else at)
        self.run()

    def put_tick(self, at: int) -> None:
        """Append a tick, and fold nothing yet."""
        envelope, body = tick(at)
        value = codec.encode(envelope, body)
        for topic in self.topology.ticking():
            for partition in range(self.partitions):
                self.append(Outgoing(topic, partition, CLOCK.encode(), value))

    def run(self) -> None:
        """Fold until no stage has anything left to read."""
        moved = True
        while moved:
            # Every stage gets its turn: `any` over a generator would stop at the first that moved.
            moved = sum(self.step(stage.name) for stage in self.topology.stages) > 0

    def step(self, stage: str) -> bool:
        """Let a stage fold one batch of each of its partitions. Returns whether there was anything."""
        return sum(self._fold(stage, partition) for partition in range(self.partitions)) > 0

    def _fold(self, name: str, partition: int, *, crash: Crash | None = None) -> bool:
        topic = self.topology.stage(name).reads
        at = self.positions[name, partition]
        log = self.logs[topic, partition][at : at + self.batch]
        if not log:
            return False
        rows = self.rows[name, partition]
        records = [Record(at + i, r.key, r.value) for i, r in enumerate(log)]
        step = self._folds[name].fold(partition, records, rows)
        sends = (*step.broadcasts, *step.sends)
        for record in sends if crash is None else sends[: crash.sends]:
            self._declared(name, record.topic)
            self.append(record)
        if crash is None:
            rows.write(step.rows)
            self.positions[name, partition] = at + len(log) - step.left
        elif crash.sends >= len(sends):
            # Rows are written once all sends are acked, in order; what is behind the crash is lost.
            rows.write(step.rows[: crash.rows])
        return True

    def _declared(self, name: str, topic: str) -> None:
        stage = self.topology.stage(name)
        if topic not in (stage.events, stage.copies, stage.dead_letters, *stage.emits):
            raise AssertionError(f"stage {name} sends to {topic}, which it does not declare")

    def crash(self, stage: str, crash: Crash = ALL_SENT) -> None:
        """Let a stage fold a batch of each partition and die on the way: nothing is committed."""
        for partition in range(self.partitions):
            self._fold(stage, partition, crash=crash)

    def rewind(self, stage: str, offset: int = 0) -> None:
        """Deliver a stage's input from `offset` of each partition again, with its rows as they are."""
        for partition in range(self.partitions):
            self.positions[stage, partition] = min(offset, self.positions[stage, partition])

    def records(self, topic: str) -> Iterator[Outgoing]:
        """Return all records of a topic, partition by partition."""
        for partition in range(self.partitions):
            yield from self.logs[topic, partition]

    def decoded(self, topic: str) -> list[Decoded]:
        return [codec.decode(r.value) for r in self.records(topic)]

    def drain(self, topic: str) -> list[Decoded]:
        """Return what has come to a topic since it was last drained."""
        new = []
        for partition in range(self.partitions):
            log = self.logs[topic, partition]
            new += [codec.decode(r.value) for r in log[self._drained[topic, partition] :]]
            self._drained[topic, partition] = len(log)
        return new

    def state(self, stage: str, key: str) -> Any:
        """Return the state of a row, None where there is none.

        A row is in the partition of its record's key, which its own begins with; configuration is in all of them.
        """
        for partition in range(self.partitions):
            row = self.rows[stage, partition].get(key.encode())
            if row is not None:
                _, state = split(row)
                return codec.decode_row(state) if state else None
        return None
