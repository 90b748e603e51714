"""Feeds a sink from one topic: batches in order, dead letters aside, positions kept, failures named."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from infra.runtime.consuming import BACK_OFF_SECONDS, CONSUMER, LOST, PASSING, POLL_SECONDS, PositionLost
from infra.runtime.errors import Backpressure, NewerWriter, PoisonMessage, Transient
from infra.runtime.pace import Pace
from schemas.codec import Undecodable, UnknownSchema
from sinks import metrics
from sinks.base import LOG_START, Entry, Fenced, ProjectionSink, Raw, Refused
from sinks.dead_letters import DeadLetters
from sinks.positions import Hole, Positions

T = TypeVar("T")

GATHER_SECONDS: Final = 0.1
"""Under load a loop gathers for so long before it applies, where its sink asks for nothing else: fewer transactions,
which hold more.
"""
_log = structlog.get_logger()


class NotReady(Exception):  # noqa: N818
    """The loop does not apply records; the message says why."""


class Loop(Generic[T]):
    """Reads `topic` as `group` and feeds `sink`, whose store is durable before the next batch is read.

    holds_newer: whether a foreign schema id stops its partition, because the writer is newer, or is a dead letter,
    because others write the topic too. not_before: milliseconds; older records are passed as already dealt with.
    Kafka's committed offset is a hint for people where the store keeps positions. instance_id: a name that the process
    keeps over restarts: one that was killed then has its partitions back at once, and not when the group misses it. pace:
    of this loop alone.
    """

    def __init__(
        self,
        sink: ProjectionSink[T],
        *,
        bootstrap: str,
        topic: str,
        group: str,
        batch: int = 2_000,
        holds_newer: bool = True,
        not_before: int = 0,
        instance_id: str = "",
        pace: Pace | None = None,
    ) -> None:
        self.topic = topic
        self.group = group
        self._sink = sink
        self._bootstrap = bootstrap
        self._batch = batch
        self._holds_newer = holds_newer
        self._not_before = not_before
        self._instance = {"group.instance.id": instance_id} if instance_id else {}
        self._dead = DeadLetters(bootstrap, group)
        self._positions = Positions()
        self._early: list[Message] = []
        self._pace = pace or Pace(GATHER_SECONDS)
        self._gather_until = 0.0
        self._trouble: str | None = "starting"
        self._idle_at = 0.0
        self._idle_failures = 0
        self._log = _log.bind(group=group, topic=topic)
        self._stop = threading.Event()
        self._consumer: Any = None

    def ping(self) -> None:
        """Raise NotReady with the cause unless records are being applied as they come. For any thread."""
        trouble = self._trouble
        if trouble is not None:
            raise NotReady(trouble)
        held = self._positions.held_causes()
        if held:
            raise NotReady(held[0])

    def run(self, stop: threading.Event) -> None:
        """Feed the sink until `stop` is set. Raises Hole, PositionLost, and whatever the sink has as a bug."""
        self._stop = stop
        told = {"bootstrap.servers": self._bootstrap, "group.id": self.group, **self._instance}
        self._consumer = Consumer({**CONSUMER, **told})
        self._consumer.subscribe([self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        try:
            while not stop.is_set():
                entries = self._entries(self._read())
                if entries:
                    self._settle(entries)
                self._tick()
        except BaseException as error:
            self._trouble = f"ended: {type(error).__name__}: {error}"
            self._log.critical("the sink ends", error=repr(error))
            raise
        finally:
            self._commit(wait=True)
            self._consumer.close()
            self._sink.close()
        self._trouble = "stopped"

    def _read(self) -> list[Message]:
        messages, self._early = self._early, []
        if not messages:
            first = self._consumer.poll(POLL_SECONDS)
            if first is None:
                return []
            messages = [first]
            # Meanwhile the client's own thread fetches on.
            self._stop.wait(max(0.0, self._gather_until - time.monotonic()))
        messages += self._consumer.consume(max(self._batch - len(messages), 1), 0)
        now = time.monotonic()
        gather = self._pace.took(len(messages), now)
        self._gather_until = now + gather if len(messages) < self._batch else now
        return messages

    def _entries(self, messages: Sequence[Message]) -> list[Entry[T]]:
        """Return what is new and ours, in order, with dead letters sent. A hole in the log ends the process."""
        entries: list[Entry[T]] = []
        letters: list[tuple[Raw, str]] = []
        for message in messages:
            error = message.error()
            if error is not None:
                self._broken(error)
                continue
            raw = _raw(message)
            if not self._positions.expects(raw.partition, raw.offset):
                continue
            entry: Entry[T] = Entry(raw, None)
            if raw.timestamp >= self._not_before:
                try:
                    entry.item = self._sink.decode(raw)
                except (PoisonMessage, NewerWriter, Undecodable) as bad:
                    if self._holds_newer and isinstance(bad, UnknownSchema | NewerWriter):
                        self._hold(raw, bad)
                        continue
                    letters.append((raw, f"{type(bad).__name__}: {bad}"))
            self._positions.took(raw.partition, raw.offset)
            entries.append(entry)
        # The letters are in the log before any position passes them.
        return entries if self._bury(letters) else []

    def _settle(self, entries: list[Entry[T]]) -> None:
        started = time.monotonic()
        epoch = self._positions.epoch
        attempt = 0
        while not self._stop.is_set():
            try:
                self._sink.apply(entries)
            except Refused as refused:
                if not self._bury([(entry.raw, cause) for entry, cause in refused.refused]):
                    return
                for entry, _ in refused.refused:
                    entry.item = None
            except (Transient, Backpressure) as away:
                if not self._back_off(attempt, away, epoch):
                    return
                attempt += 1
            except Fenced as moved:
                metrics.FENCED.labels(self.group).inc()
                self._log.warning("the stored position was moved by another process", cause=str(moved))
                self._position_again()
                return
            else:
                self._trouble = None
                self._positions.applied(entries)
                metrics.APPLY_SECONDS.labels(self.group).observe(time.monotonic() - started)
                metrics.BATCHES.labels(self.group).inc()
                metrics.RECORDS.labels(self.group).inc(len(entries))
                return

    def _bury(self, letters: Sequence[tuple[Raw, str]]) -> bool:
        """Send dead letters, however long the broker is away. False: the partitions went elsewhere meanwhile."""
        epoch = self._positions.epoch
        attempt = 0
        while letters and not self._stop.is_set():
            try:
                self._dead.send(letters)
            except Transient as away:
                if not self._back_off(attempt, away, epoch):
                    return False
                attempt += 1
                continue
            for raw, cause in letters:
                self._log.error("dead letter", partition=raw.partition, offset=raw.offset, cause=cause)
            metrics.DEAD_LETTERS.labels(self.group).inc(len(letters))
            self._trouble = None
            return True
        return not letters

    def _back_off(self, attempt: int, cause: Exception, epoch: int) -> bool:
        """Wait a little, staying in the group. False: stopped, or the partitions were assigned anew meanwhile."""
        delay = BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS) - 1)]
        self._away(attempt, cause)
        mine = [TopicPartition(self.topic, p) for p in self._positions.partitions]
        self._consumer.pause(mine)
        until = time.monotonic() + delay
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set() and self._positions.epoch == epoch:
            # What was assigned anew is not paused and may come at once: it is kept for the next batch.
            early = self._consumer.poll(min(left, POLL_SECONDS))
            if early is not None:
                self._early.append(early)
        if self._stop.is_set() or self._positions.epoch != epoch:
            return False
        held = self._positions.held
        self._consumer.resume([p for p in mine if p.partition not in held])
        return True

    def _away(self, attempt: int, cause: Exception) -> None:
        self._trouble = f"waiting: {cause}"
        metrics.RETRIES.labels(self.group).inc()
        if attempt in {0, len(BACK_OFF_SECONDS)}:
            self._log.warning("away; the same records are tried again", cause=str(cause), attempt=attempt + 1)

    def _hold(self, raw: Raw, cause: Exception) -> None:
        where = f"partition {raw.partition} waits at offset {raw.offset} for an upgrade of this reader: {cause}"
        self._positions.hold(raw.partition, where)
        self._consumer.pause([TopicPartition(self.topic, raw.partition)])
        metrics.HELD.labels(self.group).set(len(self._positions.held_causes()))
        self._log.error("a newer writer", cause=where)

    def _assigned(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        """Begin at the store's positions. While the store is away there is nothing to do, so this waits for it."""
        consumer.assign(self._seek([p.partition for p in partitions]))
        self._early.clear()
        self._log.info("assigned", positions=self._positions.nexts())

    def _revoked(self, _consumer: Any, _partitions: list[TopicPartition]) -> None:
        self._commit(wait=True)
        self._positions.revoke()

    def _lost(self, _consumer: Any, _partitions: list[TopicPartition]) -> None:
        self._positions.revoke()
        self._log.warning("partitions were lost to another process")

    def _position_again(self) -> None:
        self._early.clear()
        self._consumer.assign(self._seek(self._positions.partitions))

    def _seek(self, partitions: Sequence[int]) -> list[TopicPartition]:
        """Return the partitions with where to begin. A stop while the store is away leaves none."""
        attempt = 0
        while partitions and not self._stop.is_set():
            try:
                nexts = {p: self._start(p, offset) for p, offset in self._sink.assigned(partitions).items()}
            except (Transient, KafkaException) as away:
                self._away(attempt, away)
                self._stop.wait(BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS) - 1)])
                attempt += 1
                continue
            self._positions.assign(nexts)
            metrics.HELD.labels(self.group).set(0)
            self._trouble = None
            return [TopicPartition(self.topic, p, offset) for p, offset in nexts.items()]
        self._positions.assign({})
        self._trouble = None
        return []

    def _start(self, partition: int, stored: int | None) -> int:
        if stored is None:
            (committed,) = self._consumer.committed([TopicPartition(self.topic, partition)], timeout=10)
            if committed.offset >= 0:
                return int(committed.offset)
        elif stored != LOG_START:
            return stored
        marks = self._consumer.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=10)
        if marks is None:
            raise Transient(f"the broker does not say where partition {partition} begins")
        return int(marks[0])

    def _broken(self, error: KafkaError) -> None:
        if error.code() in LOST:
            raise PositionLost(f"{self.group}: {error.str()}; expected {self._positions.nexts()}")
        if error.fatal() or not (error.retriable() or error.code() in PASSING):
            raise KafkaException(error)
        self._log.warning("Kafka", cause=error.str())

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._idle_at < 1.0:
            return
        self._idle_at = now
        self._commit(wait=False)
        for partition, offset in self._positions.nexts().items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, partition), cached=True)
            metrics.LAG.labels(self.group, str(partition)).set(max(high - offset, 0))
        try:
            self._sink.idle()
        except Transient as away:
            self._away(self._idle_failures, away)
            self._idle_failures += 1
        else:
            if self._idle_failures:
                self._trouble = None
            self._idle_failures = 0

    def _commit(self, *, wait: bool) -> None:
        """Tell Kafka how far the store is: for whoever looks at the group's lag, and for stores without positions."""
        offsets = [TopicPartition(self.topic, p, offset) for p, offset in self._positions.uncommitted().items()]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=not wait)
        except KafkaException as error:
            self._log.warning("Kafka did not take the committed offsets", cause=str(error))


def _raw(message: Message) -> Raw:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return Raw(topic, partition, offset, message.key(), message.value(), message.timestamp()[1])


__all__ = ["Hole", "Loop", "NotReady"]
