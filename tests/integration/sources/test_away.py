"""A Kafka source whose Kafka is away: it waits, says so, and stops when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.engines.ports import any_free
from sources.appending import Appender, Outgoing, Stopped
from sources.kafka_loop import SignalLoop
from sources.routing import RoutingKeys
from tests.integration.sources.conftest import Running, await_

pytestmark = pytest.mark.engines


@pytest.fixture
def nowhere() -> str:
    """An address at which nothing listens."""
    return f"127.0.0.1:{any_free(set())}"


@contextmanager
def stopping(stop: threading.Event, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    yield
    timer.join()


def test_an_append_waits_for_the_broker_until_it_is_told_to_stop(nowhere: str) -> None:
    stop = threading.Event()
    appender = Appender(nowhere)
    began = time.monotonic()
    with stopping(stop, 1.0), pytest.raises(Stopped):
        appender.append([Outgoing("alert.commands", b"k", b"v")], stop)
    assert 0.9 < time.monotonic() - began < 5
    appender.close()


def test_the_loop_says_that_kafka_is_away_and_stops_when_told(nowhere: str) -> None:
    ran = Running(SignalLoop(nowhere, RoutingKeys("postgresql://nobody@127.0.0.1:1/none")))
    await_(lambda: (ran.loop.ping() or "").startswith("waiting"), "it says that it waits")
    ran.end()
    assert ran.error is None
    assert ran.loop.ping() == "stopped"
