"""One process of a stage: the stage's runner of production, its changelog, rows and frontiers, over the broker in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faust.types import TP

from tests.simulation.broker import Broker, Wire
from tests.simulation.clock import SECOND
from tests.simulation.faults import Faults
from tests.simulation.group import SESSION, Group
from tests.simulation.index import IndexWriter
from tests.simulation.membership import Membership
from tests.simulation.process import Process, Signal
from tests.simulation.views import ViewsWriter
from topologies.faust.batch import Batch
from topologies.faust.changelog import Changelog
from topologies.faust.frontier import Frontier
from topologies.faust.rows import Newer, Rows
from topologies.faust.stage import Stage
from topologies.guard import newer
from topologies.runner import StageFold
from topologies.step import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What the platform is made of, so that a test can put in a part that is broken."""

    runner: type[Stage] = Stage
    newer: Newer | None = newer
    fold: type[StageFold] = StageFold
    views: type[ViewsWriter] = ViewsWriter
    index: type[IndexWriter] = IndexWriter


class Appended:
    """The broker's answer to a record batch. offset: -1 where it answers a retry."""

    def __init__(self, offset: int) -> None:
        self.offset = offset


class RecordBatch:
    """What the changelog fills, as aiokafka's builder is."""

    def __init__(self) -> None:
        self.rows: list[tuple[bytes, bytes | None]] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes | None) -> bool:
        self.rows.append((key, value))
        return True

    def close(self) -> None:
        pass


class StageWorker:
    """Assigned, it recovers the rows of its partitions, begins where the group has committed, and folds."""

    def __init__(
        self,
        process: Process,
        group: Group,
        fold: StageFold,
        *,
        broker: Broker,
        faults: Faults,
        batch: int,
        build: Build,
    ) -> None:
        self.process = process
        self.rows = Rows(build.newer)
        self.membership = Membership(process, group, faults, self)
        self._group = group
        self._fold = fold
        self._broker = broker
        self._faults = faults
        self._batch = batch
        self._wire = Wire(process, broker, faults)
        self._frontiers: dict[int, Frontier] = {}
        self._busy: set[int] = set()
        self._epoch = 0
        self._stage = build.runner(
            fold,
            rows=self.rows,
            sender=self,
            changelog=Changelog(fold.stage.changelog, self),
            consumer=self,
            max_silence=SESSION / SECOND / 2,
        )
        readers = broker.readers[group.topic]
        readers.append(self._told)
        process.on_kill.append(lambda: readers.remove(self._told))

    # what the group asks of a worker

    @property
    def idle(self) -> bool:
        return not self._busy

    @property
    def quiet(self) -> bool:
        return self.idle and self._wire.idle and not self.process.stopped

    def offsets(self) -> dict[int, int]:
        return {p: f.committable for p, f in self._frontiers.items() if f.committable is not None}

    def revoked(self) -> None:
        self._epoch += 1
        self._frontiers.clear()

    def assigned(self, partitions: list[int]) -> None:
        self.revoked()
        for partition in range(self._broker.partitions):
            if partition not in partitions:
                self.rows.drop(partition)
        self.process.spawn(self._recover(partitions, self._epoch))

    async def _recover(self, partitions: list[int], epoch: int) -> None:
        """Read each changelog from where the rows in memory end to where it ended when this began."""
        ends = {p: len(self._broker.logs[self._fold.stage.changelog, p]) for p in partitions}
        for partition, end in ends.items():
            log = self._broker.logs[self._fold.stage.changelog, partition]
            while (at := self.rows.applied.get(partition, -1) + 1) < end:
                await self.process.sleep(self._faults.trip())
                if epoch != self._epoch:
                    return
                chunk = log[at : at + 1 + self._faults.some(200)]
                self.rows.recover(partition, [(r.key or b"", r.value) for r in chunk])
                self.rows.applied[partition] = at + len(chunk) - 1
            self.rows.applied[partition] = max(end - 1, self.rows.applied.get(partition, -1))
        await self.process.sleep(self._faults.trip())
        if epoch == self._epoch and self.membership.open:
            for partition in partitions:
                self._frontiers[partition] = Frontier(self._group.committed.get(partition, 0))
                self._pump(partition)

    # the fold

    def _told(self, partition: int) -> None:
        if partition in self._frontiers and partition not in self._busy:
            self.process.after(self._faults.trip(), lambda: self._pump(partition))

    def _pump(self, partition: int) -> None:
        frontier = self._frontiers.get(partition)
        if frontier is None or partition in self._busy or not self.membership.open:
            return
        upto = frontier.tail + 1 + self._faults.some(self._batch - 1)
        records = self._broker.records(self._group.topic, partition, frontier.tail, upto)
        if records:
            flight = frontier.deliver(frontier.tail, frontier.tail + len(records))
            self._busy.add(partition)
            tp = TP(self._group.topic, partition)
            self.process.spawn(self._process(Batch.of(tp, records, flight, self._group.generation)))

    async def _process(self, batch: Batch) -> None:
        await self._stage.process(batch)
        self._busy.discard(batch.partition)
        self._pump(batch.partition)

    # what the runner asks of sender, producer and consumer

    async def send(self, records: Sequence[Outgoing]) -> None:
        self.process.stall()
        acks = [self._wire.put(self._broker.place(record), (record,)) for record in records]
        for ack in acks:
            await ack

    def create_batch(self) -> RecordBatch:
        return RecordBatch()

    async def send_batch(self, builder: Any, topic: str, partition: int) -> Signal:
        self.process.stall()
        written = self._wire.put((topic, partition), [Outgoing(topic, partition, *row) for row in builder.rows])
        answered = Signal()
        written.then(lambda: answered.set(Appended(-1 if self._faults.forgets() else written.value)))
        return answered

    def ack_batch(self, batch: Batch) -> None:
        batch.flight.frontier.settle(batch.flight)

    def heartbeat_age(self) -> float:
        return (self.process.clock.now - self.membership.heart) / SECOND
