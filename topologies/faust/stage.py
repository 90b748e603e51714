"""Runs a fold over the batches of its partitions, in the order that makes its effects durable one after the other."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from topologies.faust import ending, metrics
from topologies.faust.batch import Batch
from topologies.faust.changelog import Changelog
from topologies.faust.contiguity import Contiguity
from topologies.faust.rows import Rows
from topologies.step import Fold, Outgoing, Step

log = logging.getLogger(__name__)


class Acks(Protocol):
    """What a stage needs of the consumer."""

    def ack_batch(self, batch: Batch, /) -> None: ...

    def heartbeat_age(self) -> float: ...


class Sends(Protocol):
    """What a stage needs of the sender."""

    async def send(self, records: Sequence[Outgoing], /) -> None: ...


class Stage:
    """One lane a partition: the batches of a lane are folded strictly one after the other, each after the last one's
    changelog acks, so a fold sees all rows before it. Lanes overlap: one folds while others wait for their acks.

    Any exception ends the process before the batch is committable.
    """

    def __init__(
        self,
        fold: Fold,
        *,
        rows: Rows,
        sender: Sends,
        changelog: Changelog,
        consumer: Acks,
        max_silence: float,
        batch_size: int = 500,
    ) -> None:
        """`max_silence`: seconds without a heartbeat after which the changelog is not written any more (zombies).
        `batch_size`: up to so many records that have queued meanwhile are folded as one batch.
        """
        self._fold = fold
        self._rows = rows
        self._sender = sender
        self._changelog = changelog
        self._consumer = consumer
        self._max_silence = max_silence
        self._batch_size = batch_size
        self._observed = metrics.Observed(fold.name)
        self._contiguity = Contiguity()
        self._lanes: dict[int, deque[Batch]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.progressed_at = time.monotonic()
        """When a batch was last taken or done."""

    def offer(self, batch: Batch) -> None:
        """Queue a batch behind those of its partition. Never blocks: the consumer bounds what is in flight."""
        partition = batch.partition
        self._lanes.setdefault(partition, deque()).append(batch)
        if self.idle(partition):
            self._begin(partition)

    def mend(self, partitions: Iterable[int]) -> None:
        """Write again what recovery found to be older in the changelog than it is, where no batch does that by the way."""
        for partition in partitions:
            if self._rows.to_repair(partition) and self.idle(partition):
                self._lanes.setdefault(partition, deque())
                self._begin(partition)

    def idle(self, partition: int) -> bool:
        """Whether nothing of a partition is being folded or written."""
        task = self._tasks.get(partition)
        return task is None or task.done()

    def _begin(self, partition: int) -> None:
        self._tasks[partition] = asyncio.get_running_loop().create_task(self._run(partition))

    async def _run(self, partition: int) -> None:
        lane = self._lanes[partition]
        try:
            if not lane:
                await self._store(partition, Step())
            while lane:
                self.progressed_at = time.monotonic()
                await self.process(*self._next(lane))
        except asyncio.CancelledError:
            raise
        except BaseException as broken:
            log.exception("the batch failed")
            ending.end(f"stage {self._fold.name}, partition {partition}: {type(broken).__name__}: {broken}")

    def _next(self, lane: deque[Batch]) -> list[Batch]:
        """Take what is folded next: under little load one small batch at once, under much what came in meanwhile.

        Only batches of the same seek go together: another one's may be the same records again.
        """
        taken = [lane.popleft()]
        frontier, left = taken[0].flight.frontier, self._batch_size - len(taken[0].records)
        while lane and lane[0].flight.frontier is frontier and len(lane[0].records) <= left:
            taken.append(lane.popleft())
            left -= len(taken[-1].records)
        return taken

    async def process(self, *batches: Batch) -> None:
        """Fold adjacent batches of a partition as one and make their effects durable, in order.

        Raises before anything later is durable.
        """
        partition = batches[0].partition
        for batch in batches:
            self._contiguity.check(partition, batch.flight, batch.records[0].offset, len(batch.records))
        records = batches[0].records if len(batches) == 1 else [r for batch in batches for r in batch.records]
        left = len(records)
        while left:
            began = time.perf_counter()
            step = self._fold.fold(partition, records[len(records) - left :], self._rows.of(partition))
            folded = time.perf_counter()
            await self._sender.send(step.broadcasts)
            await self._sender.send(step.sends)
            await self._store(partition, step)
            self.progressed_at = time.monotonic()
            self._observed.step(step, folded - began, time.perf_counter() - folded)
            left = step.left
        for batch in batches:
            self._consumer.ack_batch(batch)

    async def _store(self, partition: int, step: Step) -> None:
        rows = self._rows
        groups = [*rows.repairs(partition), *step.rows]
        if not groups:
            return
        last = await self._changelog.write(partition, groups, rows.applied.get(partition), alive=self._alive)
        rows.write(partition, step.rows)
        if last is not None:
            rows.applied[partition] = last

    def _alive(self) -> None:
        silence = self._consumer.heartbeat_age()
        if silence > self._max_silence:
            ending.end(f"no heartbeat for {silence:.1f} s: another worker may own the partition by now")
