"""Append a record of a test's load, however fast the load is made."""

from __future__ import annotations

from confluent_kafka import Producer

_ANY = -1


def produce(producer: Producer, topic: str, key: bytes, value: bytes, partition: int = _ANY) -> None:
    """Append a record; wait while the producer's queue is full, as loads are made faster than they are sent."""
    while True:
        try:
            producer.produce(topic, value, key, partition)
        except BufferError:
            producer.poll(0.05)
            continue
        break
    producer.poll(0)
