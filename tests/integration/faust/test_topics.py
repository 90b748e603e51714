"""A worker does not start on topics of the wrong shape, and says all that is wrong at once (H16)."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from topologies.faust.ending import RefusedError
from topologies.faust.topics import check_topics

from .harness import PARTITIONS, Logs

pytestmark = pytest.mark.engines


def check(logs: Logs, *, partitions: int = PARTITIONS) -> None:
    check_topics(logs.bootstrap, reads=logs.commands, changelog=logs.changelog, partitions=partitions, settle_s=1.0)


def test_h16_topics_as_they_must_be_are_taken(logs: Logs) -> None:
    check(logs)


def test_h16_missing_topics_are_named_together(kafka_bootstrap: str) -> None:
    logs = Logs(kafka_bootstrap)

    with pytest.raises(RefusedError) as refused:
        check(logs)

    assert logs.commands in str(refused.value)
    assert logs.changelog in str(refused.value)


def test_h16_another_number_of_partitions_is_refused(logs: Logs) -> None:
    with pytest.raises(RefusedError, match="has 4 partitions, not 8"):
        check(logs, partitions=8)


def test_h16_a_changelog_that_is_not_compacted_and_a_log_that_is_are_refused(kafka_bootstrap: str) -> None:
    logs = Logs(kafka_bootstrap)
    new = [
        NewTopic(logs.commands, PARTITIONS, 1, config={"cleanup.policy": "compact"}),
        NewTopic(logs.changelog, PARTITIONS, 1, config={"cleanup.policy": "delete"}),
    ]
    for created in logs.admin.create_topics(new, operation_timeout=30).values():
        created.result(30)

    with pytest.raises(RefusedError) as refused:
        check(logs)

    assert "a fold needs every record" in str(refused.value)
    assert "its rows would be lost" in str(refused.value)


def test_h16_a_broker_that_is_not_there_is_said() -> None:
    with pytest.raises(RefusedError, match="no broker answers"):
        check_topics("127.0.0.1:1", reads="a", changelog="b", partitions=1, timeout_s=1)


def test_h16_a_topic_that_nobody_made_is_not_made_by_writing_to_it(kafka_bootstrap: str) -> None:
    """It would have the broker's settings and none of ours: one partition, and records that go after a week."""
    logs = Logs(kafka_bootstrap)
    refused: list[str] = []
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "message.timeout.ms": 3_000, "log_level": 0})
    producer.produce(logs.commands, b"v", b"k", on_delivery=lambda error, _: refused.append(str(error)))
    producer.flush(10)

    assert len(refused) == 1
    assert logs.commands not in logs.admin.list_topics(timeout=10).topics
