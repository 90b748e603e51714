"""The consumer that delivers batches, owns its seeks and commits only its own frontier. Folds nothing.

Overrides of Faust's Consumer are marked with what they replace and what breaks when Faust changes; the names and
signatures they rely on are pinned by tests/unit/faust/test_pins.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from mode.utils.futures import notify

from schemas.topics import GENERATION
from topologies.faust import ending
from topologies.faust.batch import Batch
from topologies.faust.durable_table import FoldTables
from topologies.faust.fetching import Fetched, FoldThread, alive_clock
from topologies.faust.frontier import Frontier, HoleError
from topologies.faust.status import Status
from topologies.step import Record

# A fetch that finds nothing returns after this; meanwhile nothing wakes, data wakes it at once.
_IDLE_WAIT = 0.5
_UNASSIGNED_WAIT = 0.05
# While batches are in flight and the last fetch brought little, the next one is put off: more comes in meanwhile, and a
# fetch of one record costs as much as one of hundreds. A command that finds nothing in flight is fetched at once.
_BUSY_WAIT = 0.003
# An estimate of what a record takes in memory beside its key and value.
_RECORD_OVERHEAD = 256

_of_record = attrgetter("offset", "key", "value")
_sizes = attrgetter("serialized_key_size", "serialized_value_size")


class FoldConsumer(Consumer):
    """One Faust message per (partition, up to `batch_size` records) for the stage's input topic."""

    # Set by the transport before Faust makes the consumer.
    topic: str = ""
    generation: int = GENERATION
    batch_size: int = 500
    max_in_flight: int = 16
    max_held_bytes: int = 64 * 1024 * 1024
    status: Status

    _thread: FoldThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._frontiers: dict[TP, Frontier] = {}
        self._seek_numbers: dict[TP, int] = {}
        self._seek_due = True
        self._room = asyncio.Event()
        self._fetched_little = True
        self.delivered = 0
        super().__init__(*args, **kwargs)

    # Overrides Consumer._new_consumer_thread (called by ThreadDelegateConsumer.__init__).
    def _new_consumer_thread(self) -> FoldThread:
        thread = FoldThread(self, loop=self.loop, beacon=self.beacon)
        thread.generation = self.generation
        return thread

    # -- delivery ------------------------------------------------------------------------------------------------------

    # Overrides Consumer._drain_messages (run by Fetcher._fetcher): the only deliverer and the only seeker of our topic.
    async def _drain_messages(self, fetcher: Any) -> None:
        # Records in the hands of an earlier run of this loop went with it.
        self._seek_due = True
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise
        except HoleError as hole:
            ending.end(f"hole in {self.topic}: {hole}")
        except Exception as broken:
            self.log.exception("delivery failed")
            ending.end(f"delivery failed: {broken!r}")

    async def _drain_once(self) -> None:
        # A loop that finds data at each turn must still let others run.
        await asyncio.sleep(0)
        if not self.flow_active:
            self._seek_due = True
            await self.wait(self.can_resume_flow.wait())
            return
        if self._seek_due and not self.app.rebalancing:
            await self._seek_to_start()
            return
        if self.full:
            await self._await_room()
            return
        if self._fetched_little and self.in_flight:
            await asyncio.sleep(_BUSY_WAIT)
        fetched = await self._fetch()
        self._fetched_little = sum(len(records) for _, records in fetched.values()) < self.batch_size
        await self._deliver(fetched)

    async def _await_room(self) -> None:
        """Return when a batch is done, or the flow is to stop."""
        self._room.clear()
        await self.wait_first(self._room.wait(), self.suspend_flow.wait())

    async def _fetch(self) -> Mapping[TP, Fetched]:
        active = set(self._get_active_partitions())
        if not active:
            await self.sleep(_UNASSIGNED_WAIT)
            return {}
        # While a rebalance runs, its end is what is waited for, and no record announces that.
        wait = _UNASSIGNED_WAIT if self.app.rebalancing else _IDLE_WAIT
        return await self._thread.fetch(active, wait)

    async def _deliver(self, fetched: Mapping[TP, Fetched]) -> None:
        work: deque[tuple[TP, Sequence[Any], int]] = deque()
        for tp, (seek, records) in fetched.items():
            if seek != self._seek_numbers.get(tp, 0):
                continue  # Fetched before the last seek: the same records come again, or are not ours any more.
            if tp.topic == self.topic:
                work.append((tp, records, 0))
            else:
                self._apply_changelog(tp, records)
        while work:
            # Recovery resumes the streams, awaits perform_seek() and only then calls flow_control.resume(), which
            # clears the agents' queues: a batch delivered in that window vanishes (H23). So nothing of ours goes out
            # while the app is rebalancing, and a seek of our own follows. Changelogs flow on: recovery needs them (H26).
            if self.app.rebalancing or not self.flow_active:
                self._seek_due = True
                return
            if self.full:
                await self._await_room()
                continue
            tp, records, at = work.popleft()
            chunk = records[at : at + self.batch_size]
            await self._deliver_batch(tp, chunk)
            if at + len(chunk) < len(records):
                work.append((tp, records, at + len(chunk)))  # Round robin: no partition waits for all of another's.

    async def _deliver_batch(self, tp: TP, chunk: Sequence[Any]) -> None:
        # The named tuple's own constructor would take as long as all the rest of this method.
        new = tuple.__new__
        records = [new(Record, parts) for parts in map(_of_record, chunk)]
        first, last = records[0].offset, records[-1].offset
        frontier = self._frontiers.get(tp)
        if frontier is None:
            raise HoleError(f"partition {tp.partition}: records from {first} came before a seek")
        if last - first + 1 != len(records):
            raise HoleError(f"partition {tp.partition}: {len(records)} records between offsets {first} and {last}")
        # A record without a key or a value has the size -1: the overhead makes up for it.
        size = sum(map(sum, map(_sizes, chunk))) + _RECORD_OVERHEAD * len(records)
        flight = frontier.deliver(first, last + 1, size)
        batch = Batch.of(tp, records, flight, self.app.consumer_generation_id)
        self.delivered += 1
        app: Any = self.app
        if app.flow_control.is_active() and not app.topics._tp_to_callback_lock.locked():  # noqa: SLF001
            # Nothing in the conductor waits now, so nothing has to be cancelled: four tasks a batch less.
            await self.callback(batch)
            return
        # suspend_flow cancels a delivery that waits for the flow; the batch is sought again after the rebalance.
        await self.wait_first(self.callback(batch), self.suspend_flow.wait())

    def _apply_changelog(self, tp: TP, records: Sequence[Any]) -> None:
        tables = self.app.tables
        assert isinstance(tables, FoldTables)
        recovery = tables.recovery
        if self.app.in_recovery or tp in recovery.standby_tps:
            recovery.feed(tp, records)
            self.status.recovering(recovery.active_remaining_total())
        else:
            # Our own writes coming back: old state over new (H22).
            self.pause_partitions({tp})

    @property
    def in_flight(self) -> int:
        """Batches delivered and not yet done, over all partitions."""
        return sum(frontier.in_flight for frontier in self._frontiers.values())

    @property
    def held_bytes(self) -> int:
        """What the batches in flight take in memory, about."""
        return sum(frontier.held for frontier in self._frontiers.values())

    @property
    def full(self) -> bool:
        """Whether nothing more may be delivered until a batch is done."""
        return self.in_flight >= self.max_in_flight or self.held_bytes >= self.max_held_bytes

    def heartbeat_age(self) -> float:
        """Seconds since this worker last asked the group's coordinator with success."""
        return alive_clock() - self._thread.last_heartbeat

    def silence(self) -> float | None:
        """Seconds since a broker last answered a fetch; None while that says nothing (held back, or nothing asked)."""
        if self.full:
            return None
        return self._thread.silence()

    def lags(self) -> dict[int, int]:
        """Records appended and not yet committable, by partition, as far as the broker has told its end."""
        # The broker has told no end before the first fetch: None, whatever the annotation says.
        return {
            tp.partition: max(0, (self.highwater(tp) or 0) - frontier.position)
            for tp, frontier in self._frontiers.items()
        }

    # -- ack and commit ------------------------------------------------------------------------------------------------

    def ack_batch(self, batch: Batch) -> None:
        """Make a batch committable. Called by the stage only, after the changelog's acks."""
        batch.acked = True
        self._unacked_messages.discard(batch)
        batch.flight.frontier.settle(batch.flight)
        self._room.set()
        notify(self._waiting_for_ack)

    # Overrides Consumer.ack (called by a stream, also for what it skips): a batch is done when the stage says so (H3).
    # The Cython stream inlines ack instead of calling it (H15); what it leaves in _acked is never read for our topic.
    def ack(self, message: Any) -> bool:
        return False if isinstance(message, Batch) else bool(super().ack(message))

    # Overrides Consumer._new_offset (called by commit): only over batches that are done, in order (H1, H25).
    def _new_offset(self, tp: TP) -> int | None:
        frontier = self._frontiers.get(tp)
        return frontier.committable if frontier is not None else None

    # Overrides Consumer._filter_tps_with_pending_acks (called by commit): _acked is Faust's list, and is emptied by
    # on_partitions_revoked before the last commit of a rebalance.
    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._frontiers) if topics is None or tp in topics or tp.topic in topics)

    # Overrides Consumer._commit_offsets (called by commit). Stock: flushes the producer, which is no barrier (H5), and
    # moves _committed_offset although the commit failed (H2).
    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002
        assigned = self.assignment()
        offsets = {tp: offset for tp, offset in offsets.items() if tp in assigned}
        if not offsets or not await self._commit(offsets):
            return False
        self._committed_offset.update(offsets)
        self.app.monitor.on_tp_commit(offsets)
        return True

    # -- rebalance and seek --------------------------------------------------------------------------------------------

    # Overrides ThreadDelegateConsumer.subscribe (called by Conductor._subscriber). A worker that is told to stop while it
    # starts would join with the commands alone, its table having named no changelog yet, and the group's leader would
    # then share commands and changelogs apart, for everybody.
    async def subscribe(self, topics: Iterable[str]) -> None:
        topics = set(topics)
        changelogs = {table._changelog_topic_name() for table in self.app.tables.values()}  # noqa: SLF001
        if topics < {self.topic, *changelogs}:
            self.log.info("Not joining the group: the worker is stopping")
            return
        await super().subscribe(topics)

    # Overrides Consumer.on_partitions_revoked (called from the consumer's thread): the stock one waits for what is in
    # flight and commits it, through our frontiers, which go only after that.
    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.status.not_ready("rebalancing")
        await super().on_partitions_revoked(revoked)
        self._void()

    # Overrides Consumer.on_partitions_assigned (called from the consumer's thread).
    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.status.not_ready("recovering")
        self._void()
        await super().on_partitions_assigned(assigned, generation_id)

    def _void(self) -> None:
        """What was fetched or delivered until now is void: records count again from the next seek of their partition."""
        self._seek_due = True
        self._frontiers.clear()
        for tp in {*self._seek_numbers, *self.assignment()}:
            self._seek_numbers[tp] = self._seek_numbers.get(tp, 0) + 1

    # Override Consumer.pause_partitions and resume_partitions (called by App and Recovery): stock, they only ignore what
    # was fetched, and our changelog writes would come back, fill the fetcher and delay the next command by 0.1 s.
    def pause_partitions(self, tps: Iterable[TP]) -> None:
        tps = set(tps)
        super().pause_partitions(tps)
        self._thread.hold(tps)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        tps = set(tps)
        super().resume_partitions(tps)
        self._thread.release(tps)

    # Overrides Consumer.perform_seek (called by Recovery at its end): the stock one leaves a partition without a
    # committed offset where it stands, so what was fetched and dropped before is lost (H24).
    async def perform_seek(self) -> None:
        self._seek_due = True

    # Overrides ThreadDelegateConsumer.seek_wait (called by Recovery for changelogs, and by us).
    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        for tp in partitions:
            self._seek_numbers[tp] = self._seek_numbers.get(tp, 0) + 1
        await self._thread.seek_numbered(partitions, {tp: self._seek_numbers[tp] for tp in partitions})

    async def _seek_to_start(self) -> None:
        """Seek our partitions to where the fold goes on, after a rebalance is over: nothing is delivered meanwhile."""
        self._seek_due = False
        mine = {tp for tp in self.assignment() if tp.topic == self.topic}
        self._frontiers.clear()
        if mine:
            starts = await self._starts(mine)
            await self.seek_wait(starts)
            if self._seek_due:
                return  # Another rebalance came in between.
            self._check_rows(mine)
            for tp, start in starts.items():
                self._frontiers[tp] = Frontier(start)
        self.status.assigned(sorted(tp.partition for tp in mine))

    def _check_rows(self, mine: Iterable[TP]) -> None:
        """End the process unless the rows of each partition are here: without them its keys would begin anew."""
        tables = self.app.tables
        assert isinstance(tables, FoldTables)
        known = {tp.partition for tp in tables.recovery.active_tps}
        missing = sorted(tp.partition for tp in mine if tp.partition not in known)
        if missing:
            ending.end(f"partitions {missing} of {self.topic} are assigned here without their changelog")

    async def _starts(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Where each partition goes on: at the committed offset, else at the log's start."""
        stored = await self._thread.committed(tps)
        earliest = await self.earliest_offsets(*tps)
        starts = {}
        for tp, committed in stored.items():
            if committed is not None and committed.generation > self.generation:
                ending.end(
                    f"{tp.topic}/{tp.partition} was folded in generation {committed.generation}, "
                    f"this worker is configured for generation {self.generation}"
                )
            if committed is None or committed.generation < self.generation:
                starts[tp] = earliest[tp]
                self._committed_offset[tp] = None
                continue
            if committed.offset < earliest[tp]:
                ending.end(
                    f"the committed offset {committed.offset} of {tp.topic}/{tp.partition} is below the log's start "
                    f"{earliest[tp]}: records were removed before they were folded"
                )
            starts[tp] = self._committed_offset[tp] = committed.offset
        return starts
