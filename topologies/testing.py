"""Drives a topology without a broker: bytes in, bytes out, and nothing happens unless told.

A record piped in is folded by the stage that reads its topic, and so are all records that this leads to, in the order
of the log. `rewind` delivers a stage's input again, as after a crash before the commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from schemas import codec
from schemas.codec import Decoded
from streams.envelope import Envelope
from topologies.graph import TOPOLOGY, Topology
from topologies.guard import split
from topologies.partition import partition_of
from topologies.runner import StageFold
from topologies.step import Outgoing, Record, Step


class MemoryRows:
    """The rows of one partition, in memory."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes, /) -> bytes | None:
        return self.rows.get(key)

    def write(self, step: Step) -> None:
        for group in step.rows:
            for key, row in group:
                if row is None:
                    self.rows.pop(key, None)
                else:
                    self.rows[key] = row


class TopologyTestDriver:
    """All stages of a topology over an in-memory log.

    batch: how many records a stage folds at once. Topics hold their records for good, so a test may read any.
    """

    def __init__(self, topology: Topology = TOPOLOGY, *, partitions: int = 4, batch: int = 500) -> None:
        self.topology = topology
        self.partitions = partitions
        self.batch = batch
        self.causes: list[tuple[str, str]] = []
        self.logs: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        self.rows: dict[tuple[str, int], MemoryRows] = defaultdict(MemoryRows)
        self.positions: dict[tuple[str, int], int] = defaultdict(int)
        self._drained: dict[tuple[str, int], int] = defaultdict(int)
        self._folds = {
            stage.name: StageFold(
                stage, partitions=partitions, on_dead=lambda name, cause: self.causes.append((name, cause))
            )
            for stage in topology.stages
        }

    def pipe(self, topic: str, key: str, envelope: Envelope, body: Any) -> None:
        """Append a command and run until nothing is left to fold."""
        self.pipe_bytes(topic, key.encode(), codec.encode(envelope, body))

    def pipe_bytes(self, topic: str, key: bytes, value: bytes | None) -> None:
        self.append(Outgoing(topic, None, key, value))
        self.run()

    def append(self, record: Outgoing) -> None:
        """Append a record, and fold nothing yet."""
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key or b"", self.partitions)
        self.logs[record.topic, partition].append(record._replace(partition=partition))

    def run(self) -> None:
        """Fold until no stage has anything left to read."""
        moved = True
        while moved:
            # Every stage gets its turn: `any` over a generator would stop at the first that moved.
            moved = sum(self.step(stage.name) for stage in self.topology.stages) > 0

    def step(self, stage: str) -> bool:
        """Let a stage fold one batch of each of its partitions. Returns whether there was anything."""
        return sum(self._fold(stage, partition) for partition in range(self.partitions)) > 0

    def _fold(self, name: str, partition: int, *, commit: bool = True) -> bool:
        topic = self.topology.stage(name).reads
        at = self.positions[name, partition]
        log = self.logs[topic, partition][at : at + self.batch]
        if not log:
            return False
        rows = self.rows[name, partition]
        records = [Record(at + i, r.key, r.value) for i, r in enumerate(log)]
        step = self._folds[name].fold(partition, records, rows)
        for record in (*step.broadcasts, *step.sends):
            self.append(record)
        if commit:
            rows.write(step)
            self.positions[name, partition] = at + len(log)
        return True

    def crash(self, stage: str) -> None:
        """Let a stage send what a batch comes to, and lose it all before its rows are written."""
        for partition in range(self.partitions):
            self._fold(stage, partition, commit=False)

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
        """Return the state of a row, None where there is none."""
        row = self.rows[stage, partition_of(key.split("|", maxsplit=1)[0].encode(), self.partitions)].get(key.encode())
        state = b"" if row is None else split(row)[1]
        return codec.decode_row(state) if state else None
