"""The topics as the broker keeps them: a writer's clock may be years off, and its records are kept as all others are."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from infra.runtime.kafka import create_topics
from topologies.provision import topics

pytestmark = pytest.mark.engines

YEARS_MS = 20 * 365 * 24 * 3600 * 1000


@pytest.fixture
def copies(kafka_bootstrap: str) -> Iterator[dict[str, str]]:
    """A topic of each kind of settings that ours have, by the name of one of ours that has them."""
    kinds = {str(sorted(config.items())): name for name, config in topics().items()}
    made = {name: f"test.{uuid.uuid4().hex}" for name in kinds.values()}
    create_topics(kafka_bootstrap, {made[name]: topics()[name] for name in made}, partitions=1)
    yield made
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for deleted in admin.delete_topics(list(made.values()), operation_timeout=30).values():
        deleted.result(30)


def test_records_of_a_writer_whose_clock_is_years_off_are_taken_at_the_brokers_time(
    kafka_bootstrap: str, copies: dict[str, str]
) -> None:
    now = time.time_ns() // 1_000_000
    refused: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            refused.append(f"{message.topic()}: {error.str()}")

    producer = Producer({"bootstrap.servers": kafka_bootstrap, "acks": "all"})
    for topic in copies.values():
        for clock in (now - YEARS_MS, now + YEARS_MS):
            producer.produce(topic, b"value", b"key", timestamp=clock, on_delivery=delivered)
    assert producer.flush(30) == 0
    assert refused == []

    reader = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": uuid.uuid4().hex})
    reader.assign([TopicPartition(topic, 0, 0) for topic in copies.values()])
    read = reader.consume(2 * len(copies), timeout=30)
    reader.close()
    assert len(read) == 2 * len(copies)
    # Otherwise the first would be deleted at once where records are kept for 14 days.
    assert all(abs(message.timestamp()[1] - now) < 60_000 for message in read)
