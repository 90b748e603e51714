"""What a fold may send, its producer takes: a record that it refused would end the process, again and again."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException

from schemas.topics import MAX_RECORD_BYTES, TOPICS
from topologies.faust.sender import Sender


def test_the_producer_takes_the_largest_record_and_the_dead_letter_of_the_largest_that_a_topic_takes() -> None:
    """librdkafka refuses by size at once, before it looks for a broker; there is none here."""
    producer = Sender("")._producer
    largest = max(int(topic.config["max.message.bytes"]) for topic in TOPICS.values())
    for size in (MAX_RECORD_BYTES, largest):
        producer.produce("topic", value=b"x" * size, key=b"key", headers=[("error", b"e" * 1_000)])
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        producer.produce("topic", value=b"x" * (2 * largest))
    producer.purge()
    producer.flush(5)
