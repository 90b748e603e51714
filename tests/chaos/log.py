"""The log as any consumer reads it: every record of a topic up to its end of now."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple

from confluent_kafka import Consumer, TopicPartition

SILENT_SECONDS: Final = 30.0


class Record(NamedTuple):
    partition: int
    offset: int
    key: bytes
    value: bytes | None


def records(bootstrap: str, topic: str) -> Iterator[Record]:
    """Yield every record, in order within each partition. AssertionError where the topic cannot be read to its end."""
    reader = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False, "log_level": 0}
    )
    try:
        left = {}
        for partition in reader.list_topics(topic, timeout=15).topics[topic].partitions:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)
            if high > low:
                left[partition] = high
        reader.assign([TopicPartition(topic, partition, 0) for partition in left])
        heard = time.monotonic()
        while left:
            # It waits for as many as are asked for, also at the end of the log.
            messages = reader.consume(5_000, timeout=0.2)
            heard = time.monotonic() if messages else heard
            assert time.monotonic() < heard + SILENT_SECONDS, f"{topic} cannot be read up to {left}"
            for message in messages:
                assert message.error() is None, message.error()
                partition, offset = message.partition(), message.offset()
                assert partition is not None
                assert offset is not None
                yield Record(partition, offset, message.key() or b"", message.value())
                if left.get(partition, offset) <= offset + 1:
                    left.pop(partition, None)
    finally:
        reader.close()


def ends(bootstrap: str, topics: set[str]) -> dict[tuple[str, int], int]:
    """Return the end of every partition of these topics."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "log_level": 0})
    try:
        return {
            (topic, partition): reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)[1]
            for topic in topics
            for partition in reader.list_topics(topic, timeout=15).topics[topic].partitions
        }
    finally:
        reader.close()


def committed(bootstrap: str, group: str, places: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return how far a group has committed; 0 where it never did."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
    try:
        found = reader.committed([TopicPartition(*place) for place in places], timeout=15)
        return {(at.topic, at.partition): max(at.offset, 0) for at in found}
    finally:
        reader.close()
