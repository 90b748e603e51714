"""Kafka as an operator reads it: bounds, committed offsets, records up to an end. It joins no group."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from infra.cli.case.problem import Exit, Problem
from infra.runtime.consuming import CONSUMER
from sinks.base import Raw

SECONDS: Final = 15.0
_AT_ONCE: Final = 5_000


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Bounds(NamedTuple):
    """The first offset that is there, and the one after the last."""

    start: int
    end: int


class Log:
    """Raises KafkaException where the broker is away."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 10_000})

    def bounds(self, topics: Iterable[str]) -> dict[Place, Bounds]:
        """Return the bounds of all partitions of these topics; a topic that does not exist has none."""
        known = self._admin.list_topics(timeout=SECONDS).topics
        places = [
            TopicPartition(topic, partition)
            for topic in sorted({*topics})
            if topic in known and known[topic].error is None
            for partition in sorted(known[topic].partitions)
        ]
        if not places:
            return {}
        starts = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {place: Bounds(start, max(start, ends[place])) for place, start in starts.items()}

    def _offsets(self, places: list[TopicPartition], which: OffsetSpec) -> dict[Place, int]:
        asked = self._admin.list_offsets(dict.fromkeys(places, which), request_timeout=SECONDS)
        return {Place(tp.topic, tp.partition): int(answer.result(SECONDS).offset) for tp, answer in asked.items()}

    def at_time(self, places: Iterable[Place], milliseconds: int) -> dict[Place, int | None]:
        """Return by partition the first offset that is not older, None where all is older. Milliseconds since 1970."""
        asked = [TopicPartition(*place) for place in places]
        found = self._offsets(asked, OffsetSpec.for_timestamp(milliseconds)) if asked else {}
        return {place: offset if offset >= 0 else None for place, offset in found.items()}

    def committed(self, group: str) -> dict[Place, int]:
        """Return the next offsets that a group has committed."""
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=SECONDS)
        offsets = asked[group].result(SECONDS).topic_partitions or []
        return {Place(tp.topic, tp.partition): tp.offset for tp in offsets if tp.offset >= 0}

    def read(self, spans: Mapping[Place, Bounds]) -> Iterator[Message]:
        """Return the records within these bounds, in order within each partition. The ends are known to be there.

        Raises Problem where the broker gives nothing for a while: a record was deleted meanwhile, say.
        """
        left = {place: span.end for place, span in spans.items() if span.end > span.start}
        if not left:
            return
        told = {**CONSUMER, "bootstrap.servers": self._bootstrap, "group.id": f"operator.{uuid.uuid4().hex}"}
        # A changelog's last records may have been removed: then nothing but its end says that this is all.
        told["enable.partition.eof"] = True
        reader = Consumer({**told, "log_level": 0})
        try:
            reader.assign([TopicPartition(*place, spans[place].start) for place in left])
            heard = time.monotonic()
            awaited = sum(end - spans[place].start for place, end in left.items())
            while left:
                # No more than there are: the client waits for as many as it was asked for.
                messages = reader.consume(min(_AT_ONCE, max(awaited, 1)), timeout=1.0)
                if not messages and time.monotonic() - heard > SECONDS:
                    raise Problem(f"Kafka gives no more records; left: {_said(left)}", exit_code=Exit.UNAVAILABLE)
                for message in messages:
                    error = message.error()
                    if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                        place, offset = place_of(message)
                        if offset >= left.get(place, offset + 1):
                            heard = time.monotonic()
                            del left[place]
                        continue
                    if error is not None:
                        if error.retriable():
                            continue
                        raise Problem(f"Kafka: {error.str()}", exit_code=Exit.UNAVAILABLE)
                    heard = time.monotonic()
                    place, offset = place_of(message)
                    if place not in left:
                        continue
                    awaited -= 1
                    if offset < left[place]:
                        yield message
                    if offset + 1 >= left[place]:
                        del left[place]
        finally:
            reader.close()


def place_of(message: Message) -> tuple[Place, int]:
    """Return where a record stands: its partition, and its offset there."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return Place(topic, partition), offset


def raw_of(message: Message) -> Raw:
    """Return a record as sinks take it."""
    place, offset = place_of(message)
    return Raw(place.topic, place.partition, offset, message.key(), message.value(), message.timestamp()[1])


def _said(left: Mapping[Place, int]) -> str:
    return ", ".join(f"{place.topic}/{place.partition} up to {end}" for place, end in sorted(left.items()))
