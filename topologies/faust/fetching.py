"""The consumer's thread: fetches, seeks, commits and heartbeats of the aiokafka consumer. Delivers nothing itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import aiokafka
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from infra.runtime.pace import Pace
from schemas.topics import GENERATION
from topologies.faust import ending


class Fetched(NamedTuple):
    """Records of one partition. `seek` is the number of the seek that was in force when they left the fetcher."""

    seek: int
    records: Sequence[Any]


class Committed(NamedTuple):
    """A stored offset, and the generation of the topic it belongs to."""

    offset: int
    generation: int


# One fetch is in flight to a broker at a time, and a seek or a resumed partition waits for it to come back empty.
# Faust's fixed 1.5 s would be paid at each recovery; four idle fetches a second cost nothing measurable.
FETCH_MAX_WAIT_MS = 250

# Under load the broker gathers for so long, or so much, before it answers a fetch: of all partitions at once, where each
# small batch would have cost a request, a wake-up of two threads and a step of its own.
GATHER_S = 0.05
_GATHER_BYTES = 64 * 1024

# How often a worker that stops looks whether its consumer is stopped by now.
_LEAVING_WAIT_S = 0.02

_GENERATION = "generation="
_FIRST = 1


def alive_clock() -> float:
    """Seconds that also pass while the process is stopped or the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class FoldThread(AIOKafkaConsumerThread):
    """Runs in its own loop, apart from the fold, so that folding never delays a heartbeat."""

    generation: int = GENERATION
    """The generation of the input topic, stored with each offset."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeks: dict[TP, int] = {}
        self._pace = Pace(GATHER_S)
        self._gathering: asyncio.TimerHandle | None = None
        self.last_heartbeat = alive_clock()

    # Overrides _create_worker_consumer (called by on_start) for two values it fixes or leaves out. The attribute is read
    # by AIOKafkaConsumer.start when it makes the fetcher; were it renamed, recovery would take up to 1.5 s longer.
    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001
        return consumer

    # Overrides on_start to time the heartbeats, and to decide on joining again: aiokafka keeps the time of the last one in a local variable of
    # GroupCoordinator._heartbeat_routine. Were _do_heartbeat renamed, this raises AttributeError at the start.
    async def on_start(self) -> None:
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        beat = coordinator._do_heartbeat  # noqa: SLF001

        async def timed() -> bool:
            # The time of asking: an answer that waited out a stopped process says nothing about now.
            asked = alive_clock()
            alive = bool(await beat())
            if alive:
                self.last_heartbeat = max(self.last_heartbeat, asked)
            return alive

        coordinator._do_heartbeat = timed  # noqa: SLF001
        join = coordinator._do_rejoin_group  # noqa: SLF001

        async def joined(subscription: Any) -> bool:
            # A worker that stops while others rebalance would join once more and be gone: without an instance id its
            # partitions would wait for a session that nobody holds. It leaves instead, as soon as the consumer is stopped.
            if self.app.should_stop and coordinator._group_instance_id is None:  # noqa: SLF001
                await asyncio.sleep(_LEAVING_WAIT_S)
                return False
            return bool(await join(subscription))

        coordinator._do_rejoin_group = joined  # noqa: SLF001

    # Overrides close (called by App._on_rebalance_when_stopped): the stock one closes the connection under the group's
    # coordinator, whose farewell then fails. The consumer is stopped with this thread, and that is waited for.
    def close(self) -> None:
        """Leave it to the thread's end."""

    # Overrides on_partitions_assigned (called by the rebalance listener): to have joined counts as a heartbeat.
    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.last_heartbeat = alive_clock()
        await super().on_partitions_assigned(assigned, generation_id)

    # Overrides _fetch_records (run here by fetch). The number of the seek is read in the same turn of this loop in
    # which the records leave the fetcher, so it cannot be that of a later seek.
    async def _fetch_records(  # type: ignore[override]
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109
        max_records: int | None = None,
    ) -> Mapping[TP, Fetched]:
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        if records:
            self._gather(consumer, self._pace.took(sum(map(len, records.values())), time.monotonic()))
        seeks = self._seeks
        return {(tp := TP(*at)): Fetched(seeks.get(tp, 0), found) for at, found in records.items()}

    def _gather(self, consumer: aiokafka.AIOKafkaConsumer, seconds: float) -> None:
        """Have the broker gather for so long before it answers the next fetch; 0: answer with the first record.

        The fetcher reads both values when it makes a request, which it does after this turn of the loop. Were they renamed,
        nothing would be gathered.
        """
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        fetcher = consumer._fetcher  # noqa: SLF001
        if seconds:
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = _GATHER_BYTES, round(seconds * 1000)  # noqa: SLF001
            # When nothing more comes, it does not go on asking at this pace.
            self._gathering = asyncio.get_running_loop().call_later(3 * seconds, self._gather, consumer, 0.0)
        else:
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = 1, FETCH_MAX_WAIT_MS  # noqa: SLF001

    async def fetch(self, tps: set[TP], timeout: float) -> Mapping[TP, Fetched]:  # noqa: ASYNC109
        """What was fetched of these partitions; returns as soon as there is something, at most after `timeout` s."""
        # Not by getmany: its queue makes three tasks a call, and one of its two workers would wait here all the time.
        consumer = self._ensure_consumer()
        fetching = self._fetch_records(consumer, tps, timeout, consumer._max_poll_records)  # noqa: SLF001
        fetched = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetching, self.thread_loop))
        return fetched or {}

    async def seek_numbered(self, positions: Mapping[TP, int], numbers: Mapping[TP, int]) -> None:
        """Seek each partition; records fetched from then on carry the partition's number. Called from the fold's loop."""
        await self.call_thread(self._seek_numbered, dict(positions), dict(numbers))

    async def _seek_numbered(self, positions: Mapping[TP, int], numbers: Mapping[TP, int]) -> None:
        # _seek_wait seeks all of them before it first awaits: number and position change together.
        self._seeks.update(numbers)
        await self._seek_wait(self._ensure_consumer(), positions)

    def hold(self, tps: Iterable[TP]) -> None:
        """Stop fetching these at the broker. Called from the fold's loop; takes effect in the order of the calls."""
        self.thread_loop.call_soon_threadsafe(self._set_paused, tuple(tps), True)

    def release(self, tps: Iterable[TP]) -> None:
        """Fetch these again."""
        self.thread_loop.call_soon_threadsafe(self._set_paused, tuple(tps), False)

    def _set_paused(self, tps: Iterable[TP], paused: bool) -> None:  # noqa: FBT001
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        known = [at for tp in tps if (at := TopicPartition(tp.topic, tp.partition)) in assigned]
        if known:
            (consumer.pause if paused else consumer.resume)(*known)

    async def committed(self, tps: Iterable[TP]) -> Mapping[TP, Committed | None]:
        """The stored offset of each partition, None where there is none. Called from the fold's loop."""
        found: Mapping[TP, Committed | None] = await self.call_thread(self._committed, list(tps))
        return found

    async def _committed(self, tps: Sequence[TP]) -> Mapping[TP, Committed | None]:
        at = [TopicPartition(tp.topic, tp.partition) for tp in tps]
        stored = await self._ensure_consumer()._coordinator.fetch_committed_offsets(at)  # noqa: SLF001
        return {tp: _read_commit(stored.get(key)) for tp, key in zip(tps, at, strict=True)}

    # Overrides _commit (run here by commit). Two differences from the stock one: the generation goes along, and only a
    # commit that the broker took is answered with True, on which the consumer moves its mark (H2).
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        mark = f"{_GENERATION}{self.generation}"
        assigned = self.assignment()
        stored = {
            TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(offset, mark)
            for tp, offset in offsets.items()
            if tp in assigned
        }
        if len(stored) != len(offsets):
            return False
        try:
            await self._ensure_consumer().commit(stored)
        except (CommitFailedError, IllegalStateError) as failed:
            # The group moved on without us: the next owner folds again from the offset before, as after a crash.
            self.log.warning("The offsets were not taken: %s", failed)
            return False
        except Exception as failed:  # noqa: BLE001 - whatever it is, the worker cannot commit
            ending.end(f"a commit failed: {failed!r}")
        return True

    # Overrides ServiceThread.crash: a thread that is gone leaves a worker that looks alive (H10, H12).
    async def crash(self, exc: BaseException) -> None:
        if self.app.should_stop:
            await super().crash(exc)
            return
        ending.end(f"the consumer's thread crashed: {exc!r}")

    def silence(self) -> float | None:
        """Seconds since the broker last answered a fetch, of any partition; None before the first answer."""
        subscription = self._ensure_consumer()._subscription.subscription  # noqa: SLF001
        if subscription is None or subscription.assignment is None:
            return None
        assignment = subscription.assignment
        answered = [state.timestamp for tp in assignment.tps if (state := assignment.state_value(tp)).timestamp]
        return time.time() - max(answered) / 1000 if answered else None


def _read_commit(stored: OffsetAndMetadata | None) -> Committed | None:
    if stored is None or stored.offset < 0:
        return None
    mark = stored.metadata or ""
    # An offset stored by another tool has no mark: it counts for the first generation.
    marked = int(mark.removeprefix(_GENERATION)) if mark.startswith(_GENERATION) else 0
    return Committed(stored.offset, max(marked, _FIRST))
