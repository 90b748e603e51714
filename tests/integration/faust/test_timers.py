"""Timers of a real worker on a real broker: killed again and again with two clocks running, each fires once."""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from infra.cli.bootstrap import Prepared
from tests.bench.cases_table import await_readiness
from tests.bench.field import PARTITIONS, Field
from tests.bench.timer_table import TimerTable

pytestmark = pytest.mark.engines

PER_SECOND = 200
SECONDS = 12


@pytest.fixture
def table(kafka_bootstrap: str, tmp_path: Path) -> Iterator[TimerTable]:
    prepared = Prepared(env={"CASESTREAM_KAFKA": kafka_bootstrap}, postgres_app="", postgres_reader="", created=())
    made = TimerTable(Field(prepared=prepared, folder=tmp_path))
    made.create()
    yield made
    made.delete()


def commands(bootstrap: str, topic: str, until: int, seconds: float) -> dict[str, set[bytes]]:
    """Read until so many cases were told something; return what each was told, repetitions once."""
    told: dict[str, set[bytes]] = defaultdict(set)
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    reader.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    deadline = time.monotonic() + seconds
    quiet = 0
    try:
        # What comes after the last one would be one too many: a second of silence ends it.
        while quiet < 10:
            assert time.monotonic() < deadline, f"{len(told)} of {until} after {seconds:.0f} s"
            messages = reader.consume(5_000, 0.1)
            quiet = quiet + 1 if not messages and len(told) >= until else 0
            for message in messages:
                key, value = message.key(), message.value()
                assert key is not None
                assert value is not None
                told[key.decode().partition("/")[2]].add(value)
    finally:
        reader.close()
    return told


def test_each_timer_fires_once_whatever_is_killed(kafka_bootstrap: str, table: TimerTable) -> None:
    chance = random.Random(7)
    table.fill_far(2_000, lambda _: None)
    table.fill_near(round(time.time() + 4) * 1_000, PER_SECOND, SECONDS)
    with table.ticking(), table.ticking():
        for _ in range(2):
            with table.worker() as worker:
                await_readiness(worker, 60)
                # Somewhere in a tick, as like as not.
                time.sleep(chance.uniform(0.5, 2.5))
                assert worker.pid is not None
                os.kill(worker.pid, signal.SIGKILL)
        with table.worker() as worker:
            await_readiness(worker, 60)
            told = commands(kafka_bootstrap, table.commands, len(table.dues), 60)
    assert set(told) == set(table.dues)
    assert {len(said) for said in told.values()} == {1}
