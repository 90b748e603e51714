"""Role `source.kafka`'s loop: reads `alert.signals`, appends commands, receipts and dead letters, only then commits.

At least once, and exact in effect: a record that is taken twice gives the same bytes, whose origin stage `alerts`
knows. Offsets of this topic need not be adjacent: its producers may use transactions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from infra.runtime.auth import Route
from infra.runtime.consuming import BACK_OFF_SECONDS, CONSUMER, LOST, PASSING, POLL_SECONDS, PositionLost
from infra.runtime.errors import Transient
from infra.runtime.logging import logger
from schemas.codec import Undecodable
from schemas.letter import letter
from schemas.signal import AlertSignal
from schemas.topics import GENERATION, dead_letters
from sources import metrics
from sources.appending import Appender, Outgoing, Stopped
from sources.base import Command
from sources.kafka import GROUP, SOURCE, Dead, Raw, decode, judge, named_tenant
from sources.routing import RoutingKeys
from streams.topics import ALERT_COMMANDS, ALERT_EVENTS, ALERT_SIGNALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Where the loop reads and writes."""

    signals: str = ALERT_SIGNALS
    commands: str = ALERT_COMMANDS
    events: str = ALERT_EVENTS
    group: str = GROUP

    @property
    def dead(self) -> str:
        return dead_letters(self.group)


class SignalLoop:
    """Run on one thread; `ping` is for any."""

    def __init__(
        self,
        bootstrap: str,
        routing: RoutingKeys,
        *,
        topics: Topics | None = None,
        generation: int = GENERATION,
        batch: int = 2_000,
    ) -> None:
        self._bootstrap = bootstrap
        self._routing = routing
        self._topics = topics or Topics()
        self._generation = generation
        self._batch = batch
        self._appender = Appender(bootstrap)
        self._log = logger("source.kafka", group=self._topics.group, topic=self._topics.signals)
        self._stop = threading.Event()
        self._consumer: Any = None
        self._uncommitted: dict[int, int] = {}
        self._trouble: str | None = "starting"
        self._idle_at = 0.0

    def ping(self) -> str | None:
        """Return why records are not taken as they come, None where they are."""
        return self._trouble

    def run(self, stop: threading.Event) -> None:
        """Take records until `stop` is set. Raises PositionLost, and whatever is a bug."""
        self._stop = stop
        topics = self._topics
        self._consumer = Consumer({**CONSUMER, "bootstrap.servers": self._bootstrap, "group.id": topics.group})
        self._consumer.subscribe(
            [topics.signals], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        try:
            while not stop.is_set():
                records = self._read()
                if records:
                    self._take(records)
                else:
                    self._idle()
        except Stopped:
            pass
        except BaseException as error:
            self._trouble = f"ended: {error}"
            self._log.critical("the source ends", error=repr(error))
            raise
        finally:
            self._commit()
            self._consumer.close()
            self._appender.close()
            self._routing.close()
        self._trouble = "stopped"

    def _read(self) -> list[Raw]:
        first = self._consumer.poll(POLL_SECONDS)
        if first is None:
            return []
        records = []
        for message in (first, *self._consumer.consume(self._batch - 1, 0)):
            error = message.error()
            if error is not None:
                self._broken(error)
            else:
                records.append(self._raw(message))
        return records

    def _take(self, raws: Sequence[Raw]) -> None:
        """Append what a batch comes to, and commit it. Whatever is away is waited for, with the same batch."""
        began = time.monotonic()
        ends: list[Command | Dead] = self._patiently(lambda: self._judge(raws))
        outgoing = [record for raw, end in zip(raws, ends, strict=True) for record in self._outgoing(raw, end)]
        self._patiently(lambda: self._appender.append(outgoing, self._stop))
        for raw in raws:
            self._uncommitted[raw.partition] = raw.offset + 1
        self._count(raws, ends)
        self._commit()
        metrics.BATCH_SECONDS.labels(SOURCE).observe(time.monotonic() - began)

    def _patiently(self, act: Any) -> Any:
        attempt = 0
        while True:
            try:
                done = act()
            except Transient as away:
                self._trouble = f"waiting: {away}"
                metrics.RETRIES.labels(SOURCE).inc()
                if attempt in {0, len(BACK_OFF_SECONDS)}:
                    self._log.warning("away; the same records are tried again", cause=str(away), attempt=attempt + 1)
                if self._stop.wait(BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS) - 1)]):
                    raise Stopped from away
                attempt += 1
            else:
                self._trouble = None
                return done

    def _judge(self, raws: Sequence[Raw]) -> list[Command | Dead]:
        """Return what each record comes to. Raises StoreUnavailable."""
        signals = [_decoded(raw) for raw in raws]
        routes = self._routing.lookup(s.routing_key for s in signals if isinstance(s, AlertSignal))
        foreign = self._foreign(raws, signals, routes)
        return [
            signal if isinstance(signal, Dead) else judge(signal, routes[signal.routing_key], raw, foreign=n in foreign)
            for n, (raw, signal) in enumerate(zip(raws, signals, strict=True))
        ]

    def _foreign(
        self, raws: Sequence[Raw], signals: Sequence[AlertSignal | Dead], routes: Mapping[str, Route | None]
    ) -> set[int]:
        """Return the places in the batch of records whose key names another tenant than their routing key."""
        foreign: set[int] = set()
        unsure: dict[int, str] = {}
        for n, (raw, signal) in enumerate(zip(raws, signals, strict=True)):
            named = None if isinstance(signal, Dead) else named_tenant(raw.key)
            route = None if isinstance(signal, Dead) else routes[signal.routing_key]
            if named is None or route is None or named[0] == route.tenant_id:
                continue
            if named[1]:
                foreign.add(n)
            else:
                unsure[n] = named[0]
        if unsure:
            tenants = self._routing.tenants(unsure.values())
            foreign |= {n for n, tenant_id in unsure.items() if tenant_id in tenants}
        return foreign

    def _raw(self, message: Message) -> Raw:
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        return Raw(partition, offset, message.timestamp()[1], message.key(), message.value(), self._generation)

    def _outgoing(self, raw: Raw, end: Command | Dead) -> list[Outgoing]:
        topics = self._topics
        if isinstance(end, Command):
            return [Outgoing(topics.commands, end.key.encode(), end.value)]
        kept = letter(topics.signals, raw.partition, raw.offset, raw.key, raw.value, end.cause)
        buried = Outgoing(topics.dead, *kept)
        if end.receipt is None:
            return [buried]
        key, value = end.receipt
        return [buried, Outgoing(topics.events, key.encode(), value)]

    def _count(self, raws: Sequence[Raw], ends: Sequence[Command | Dead]) -> None:
        for raw, end in zip(raws, ends, strict=True):
            if isinstance(end, Command):
                metrics.SIGNALS.labels(SOURCE, end.action).inc()
            else:
                metrics.DEAD_LETTERS.labels(SOURCE).inc()
                metrics.REFUSED.labels(SOURCE, end.reason).inc()
                self._log.error("dead letter", partition=raw.partition, offset=raw.offset, cause=end.cause)

    def _commit(self) -> None:
        offsets = [TopicPartition(self._topics.signals, p, o) for p, o in self._uncommitted.items()]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # Kept for the next time; whoever reads these records again appends the same bytes.
            self._log.warning("Kafka did not take the committed offsets", cause=str(error))
        else:
            self._uncommitted.clear()

    def _assigned(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        starts = self._patiently(lambda: [self._start(p.partition) for p in partitions])
        consumer.assign(starts)
        self._log.info("assigned", positions={p.partition: p.offset for p in starts})

    def _start(self, partition: int) -> TopicPartition:
        """Return where to begin: at the committed offset, which must be in the log, or at the log's start."""
        at = TopicPartition(self._topics.signals, partition)
        try:
            (committed,) = self._consumer.committed([at], timeout=10)
            marks = self._consumer.get_watermark_offsets(at, timeout=10)
        except KafkaException as error:
            raise Transient(f"the broker does not say where partition {partition} stands: {error}") from error
        if marks is None:
            raise Transient(f"the broker does not say where partition {partition} begins")
        low, high = marks
        if committed.offset < 0:
            return TopicPartition(self._topics.signals, partition, low)
        if not low <= committed.offset <= high:
            raise PositionLost(
                f"{self._topics.group}: partition {partition} of {self._topics.signals} was taken up to offset "
                f"{committed.offset}, but the log holds {low} to {high}: signals are lost, or the topic was made anew. "
                "Set the group's offset by hand to go on"
            )
        return TopicPartition(self._topics.signals, partition, committed.offset)

    def _revoked(self, _consumer: Any, _partitions: list[TopicPartition]) -> None:
        self._commit()
        self._uncommitted.clear()

    def _lost(self, _consumer: Any, _partitions: list[TopicPartition]) -> None:
        self._uncommitted.clear()
        self._log.warning("partitions were lost to another process")

    def _broken(self, error: KafkaError) -> None:
        if error.code() in LOST:
            raise PositionLost(f"{self._topics.group}: {error.str()}")
        if error.fatal() or not (error.retriable() or error.code() in PASSING):
            raise KafkaException(error)
        self._trouble = f"waiting: {error.str()}"
        self._log.warning("Kafka", cause=error.str())

    def _idle(self) -> None:
        """Once a second while there is nothing to read: see that what is needed is there."""
        now = time.monotonic()
        if now - self._idle_at < 1.0:
            return
        self._idle_at = now
        self._commit()
        try:
            self._consumer.list_topics(self._topics.signals, timeout=2.0)
            self._routing.ping()
            for partition in self._consumer.assignment():
                _, high = self._consumer.get_watermark_offsets(partition, cached=True)
                (position,) = self._consumer.position([partition])
                metrics.LAG.labels(SOURCE, str(partition.partition)).set(max(high - max(position.offset, 0), 0))
        except (KafkaException, Transient) as away:
            self._trouble = f"waiting: {away}"
        else:
            self._trouble = None if self._consumer.memberid() else "waiting: not in the group yet"


def _decoded(raw: Raw) -> AlertSignal | Dead:
    try:
        return decode(raw.value)
    except Undecodable as bad:
        return Dead(cause=f"{type(bad).__name__}: {bad}", reason="undecodable")
