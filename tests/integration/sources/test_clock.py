"""The clock on a real broker: each second once to every partition, the present one alone, and any number of clocks."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas import codec
from sources.clock import Clock
from streams.clock import Tick
from tests.integration.sources.conftest import await_

pytestmark = pytest.mark.engines

PARTITIONS = 3


@pytest.fixture
def topic(kafka_bootstrap: str) -> Iterator[str]:
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    name = f"test-{uuid.uuid4().hex[:12]}.reactions"
    admin.create_topics([NewTopic(name, PARTITIONS, 1)], operation_timeout=30)[name].result(30)
    yield name
    admin.delete_topics([name], operation_timeout=30)[name].result(30)


@contextmanager
def ticking(bootstrap: str, topic: str, now: Callable[[], float] = time.time) -> Iterator[Clock]:
    clock, stop = Clock(bootstrap, [topic], partitions=PARTITIONS, now=now), threading.Event()
    thread = threading.Thread(target=clock.run, args=(stop,))
    thread.start()
    try:
        yield clock
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


class Ticks:
    """What stands in a topic, by partition, read as it comes."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.seen: dict[int, list[bytes]] = {p: [] for p in range(PARTITIONS)}
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False})
        self._consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])

    def read(self) -> dict[int, list[int]]:
        for message in self._consumer.consume(1_000, 0.2):
            assert message.error() is None
            assert message.key() == b"clock"
            partition, value = message.partition(), message.value()
            assert partition is not None
            assert value is not None
            self.seen[partition].append(value)
        return {p: [_at(value) for value in values] for p, values in self.seen.items()}

    def close(self) -> None:
        self._consumer.close()


def _at(value: bytes) -> int:
    body = codec.decode(value).body
    assert isinstance(body, Tick)
    return body.at


@pytest.fixture
def ticks(kafka_bootstrap: str, topic: str) -> Iterator[Ticks]:
    made = Ticks(kafka_bootstrap, topic)
    yield made
    made.close()


def test_every_partition_hears_each_second_once(kafka_bootstrap: str, topic: str, ticks: Ticks) -> None:
    with ticking(kafka_bootstrap, topic) as clock:
        await_(lambda: min(map(len, ticks.read().values())) >= 4, "four ticks everywhere")
        assert clock.ping() is None
    told = ticks.read()
    for said in told.values():
        assert all(at % 1_000 == 0 for at in said)
        assert said == sorted(set(said))
    assert abs(told[0][-1] / 1_000 - time.time()) < 5


def test_two_clocks_say_the_same_to_the_letter(kafka_bootstrap: str, topic: str, ticks: Ticks) -> None:
    with ticking(kafka_bootstrap, topic), ticking(kafka_bootstrap, topic):
        await_(lambda: min(len(set(said)) for said in ticks.read().values()) >= 3, "three seconds everywhere")
        await_(lambda: any(len(said) > len(set(said)) for said in ticks.read().values()), "a second said by both")
    values = [value for said in ticks.seen.values() for value in said]
    assert len(set(values)) == len({_at(value) for value in values})


def test_a_clock_that_was_away_says_the_present_second_and_none_that_it_missed(
    kafka_bootstrap: str, topic: str, ticks: Ticks
) -> None:
    ahead = [0.0]
    with ticking(kafka_bootstrap, topic, now=lambda: time.time() + ahead[0]):
        await_(lambda: min(map(len, ticks.read().values())) >= 1, "a tick everywhere")
        before = len(ticks.read()[0])
        ahead[0] = 3_600.0
        await_(lambda: ticks.read()[0][-1] - ticks.read()[0][0] > 3_500_000, "an hour later")
        assert len(ticks.read()[0]) <= before + 3


def test_a_clock_whose_time_goes_back_is_silent_and_says_so(kafka_bootstrap: str, topic: str, ticks: Ticks) -> None:
    ahead = [0.0]
    with ticking(kafka_bootstrap, topic, now=lambda: time.time() + ahead[0]) as clock:
        await_(lambda: clock.ping() is None, "a tick")
        ahead[0] = -3_600.0
        await_(lambda: "went back" in (clock.ping() or ""), "its silence shows")
        said = ticks.read()[0]
    assert said == sorted(said)


def test_a_clock_without_a_broker_is_not_ready_and_can_be_stopped() -> None:
    with ticking("127.0.0.1:1", "nowhere") as clock:
        await_(lambda: "waiting" in (clock.ping() or ""), "it says why")
