"""Bytes that nothing can decode, in every topic of a running platform: each is kept with its cause, and the rest flows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.topics import (
    ALERT_COMMANDS,
    ALERT_EVENTS,
    ALERT_SIGNALS,
    CASE_COMMANDS,
    CASE_EVENTS,
    CASE_INTAKE,
    CASE_REACTIONS,
    CONFIG_COMMANDS,
    CONFIG_EVENTS,
)
from tests.installed import await_
from tests.stack import PARTITIONS, Stack
from topologies.graph import TOPOLOGY

pytestmark = pytest.mark.engines

BAD = {
    "no framing": b"not avro at all",
    "empty": b"",
    "truncated": b"\x00\x00\x00\x00\x01",
    "unframed JSON": b'{"routing_key": "x"}',
    "no value": None,
}

READERS = [
    *((source.reads, source.group) for source in TOPOLOGY.sources if source.reads and source.group),
    *((stage.reads, stage.group) for stage in TOPOLOGY.stages),
    *((feed.topic, feed.group) for feed in TOPOLOGY.sinks),
]


def test_every_topic_that_something_reads_is_tried() -> None:
    assert {topic for topic, _ in READERS} == {
        *(ALERT_SIGNALS, ALERT_COMMANDS, ALERT_EVENTS, CASE_INTAKE, CASE_COMMANDS, CASE_EVENTS),
        *(CASE_REACTIONS, CONFIG_COMMANDS, CONFIG_EVENTS),
    }


@pytest.mark.parametrize(("topic", "group"), READERS, ids=[group for _, group in READERS])
def test_bad_bytes_become_dead_letters_with_their_cause_and_the_rest_flows(
    stack: Stack, topic: str, group: str
) -> None:
    bootstrap = stack.prepared.env["CASESTREAM_KAFKA"]
    dead = f"{group}.dlq"
    before = dict(ends(bootstrap, dead))
    mark = uuid.uuid4().hex.encode()
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for partition in range(PARTITIONS):
        for value in BAD.values():
            producer.produce(topic, value, mark, partition=partition)
    assert producer.flush(30) == 0
    wanted = PARTITIONS * len(BAD)

    def letters() -> list[tuple[bytes | None, dict[str, str]]]:
        return [(value, headers) for key, value, headers in read(bootstrap, dead, before) if key == mark]

    await_(lambda: len(letters()) >= wanted, seconds=30, what=f"{wanted} dead letters in {dead}")

    found = letters()
    assert sorted(value or b"-" for value, _ in found) == sorted(
        value or b"-" for value in BAD.values() for _ in range(PARTITIONS)
    )
    for _, headers in found:
        assert headers["topic"] == topic
        assert headers["error"]
        assert headers["partition"].isdecimal()
        assert headers["offset"].isdecimal()
    flows(stack)


def flows(stack: Stack) -> None:
    """A case can be made by a command and by an alert, and be found."""
    word = f"w{uuid.uuid4().hex[:12]}"
    tenant = stack.tenants[0]
    with stack.client(0) as client:
        signal = {
            "routing_key": tenant["routing_key"],
            "event_action": "trigger",
            "dedup_key": word,
            "payload": {"summary": f"after the storm {word}", "source": "x", "severity": "error"},
        }
        accepted = client.post("/v2/enqueue", json=signal)
        assert accepted.status_code == 202, accepted.text
        signal_id = accepted.headers["x-signal-id"]
        await_(
            lambda: client.get(f"/api/v2/signals/{signal_id}").status_code == httpx.codes.OK,
            seconds=30,
            what="the receipt",
        )
        await_(
            lambda: len(client.get("/api/v2/cases", params={"filter": word}).json()["data"]) == 1,
            seconds=30,
            what="the case is found",
        )


def ends(bootstrap: str, topic: str) -> Iterator[tuple[int, int]]:
    with reader(bootstrap) as consumer:
        for partition in range(PARTITIONS):
            yield partition, consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)[1]


def read(bootstrap: str, topic: str, starts: dict[int, int]) -> list[tuple[bytes | None, bytes | None, dict[str, str]]]:
    """All records of a topic from these offsets on, with their headers as texts."""
    found = []
    with reader(bootstrap) as consumer:
        for partition, start in starts.items():
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)
            if end <= start:
                continue
            consumer.assign([TopicPartition(topic, partition, start)])
            for message in consumer.consume(end - start, timeout=15):
                headers = {str(header[0]): _text(header[1]) for header in message.headers() or []}
                found.append((message.key(), message.value(), headers))
    return found


def _text(value: str | bytes | None) -> str:
    return value if isinstance(value, str) else (value or b"").decode()


@contextmanager
def reader(bootstrap: str) -> Iterator[Consumer]:
    settings = {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "fetch.wait.max.ms": 10}
    with closing(Consumer(settings)) as consumer:
        yield consumer
