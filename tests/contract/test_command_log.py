"""The port CommandLog: the same suite for the fake and for Kafka."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, TopicPartition

from infra.runtime.errors import BrokerUnavailable
from infra.runtime.kafka import CommandLog, KafkaCommandLog, create_topics
from schemas.topics import MAX_RECORD_BYTES
from tests.fakes.edge import MemoryCommandLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """log: what is asked. away: the same with a broker that does not answer. read: all records of `topic`, in order."""

    log: CommandLog
    away: CommandLog
    topic: str
    read: Callable[[], Awaitable[list[tuple[str, bytes]]]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.engines)])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    topic = f"contract.{uuid.uuid4().hex}"
    if request.param == "memory":
        memory = MemoryCommandLog()

        async def kept() -> list[tuple[str, bytes]]:
            return [(key, value) for of, key, value in memory.records if of == topic]

        yield Subject(log=memory, away=MemoryCommandLog(away=1_000), topic=topic, read=kept)
        return
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    create_topics(bootstrap, {topic: {}}, partitions=1)

    async def appended() -> list[tuple[str, bytes]]:
        return await asyncio.to_thread(_read, bootstrap, topic)

    async with AsyncExitStack() as held:
        log = await held.enter_async_context(KafkaCommandLog(bootstrap))
        away = await held.enter_async_context(KafkaCommandLog("127.0.0.1:1", timeout=0.5))
        yield Subject(log=log, away=away, topic=topic, read=appended)


def _read(bootstrap: str, topic: str) -> list[tuple[str, bytes]]:
    with closing(Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex})) as reader:
        place = TopicPartition(topic, 0, 0)
        _, end = reader.get_watermark_offsets(place, timeout=15)
        reader.assign([place])
        records = reader.consume(end, timeout=15) if end else []
        return [((record.key() or b"").decode(), record.value() or b"") for record in records]


async def test_what_is_appended_is_in_the_log_at_the_position_that_was_told(subject: Subject) -> None:
    positions = [await subject.log.append(subject.topic, f"k{n}", b"%d" % n) for n in range(3)]

    assert [(p.topic, p.partition, p.offset) for p in positions] == [(subject.topic, 0, n) for n in range(3)]
    assert await subject.read() == [(f"k{n}", b"%d" % n) for n in range(3)]


async def test_appends_that_run_at_once_each_get_a_position_of_their_own(subject: Subject) -> None:
    positions = await asyncio.gather(*(subject.log.append(subject.topic, "k", b"%d" % n) for n in range(50)))
    kept = [value for _, value in await subject.read()]

    assert sorted(p.offset for p in positions) == list(range(50))
    assert [kept[p.offset] for p in positions] == [b"%d" % n for n in range(50)]


async def test_a_record_over_the_limit_is_refused_before_it_is_sent(subject: Subject) -> None:
    with pytest.raises(ValueError, match=str(MAX_RECORD_BYTES)):
        await subject.log.append(subject.topic, "k", b"x" * (MAX_RECORD_BYTES + 1))
    largest = await subject.log.append(subject.topic, "k", b"x" * MAX_RECORD_BYTES)

    assert largest.offset == 0


async def test_a_broker_that_is_away_is_said_and_nothing_is_taken(subject: Subject) -> None:
    with pytest.raises(BrokerUnavailable):
        await subject.away.append(subject.topic, "k", b"v")

    assert await subject.read() == []
