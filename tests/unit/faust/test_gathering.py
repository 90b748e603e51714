"""Under load the broker is asked to gather before it answers; when the load is over, the next record comes at once."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from topologies.faust.fetching import FETCH_MAX_WAIT_MS, FoldThread

AT_ONCE = (1, FETCH_MAX_WAIT_MS)


class Asking:
    """What the fetcher of a consumer would ask for next."""

    def __init__(self) -> None:
        self._fetcher = SimpleNamespace(_fetch_min_bytes=1, _fetch_max_wait_ms=FETCH_MAX_WAIT_MS)

    @property
    def asks(self) -> tuple[int, int]:
        return self._fetcher._fetch_min_bytes, self._fetcher._fetch_max_wait_ms


def thread() -> Any:
    made = FoldThread.__new__(FoldThread)
    made._gathering = None
    return made


async def test_a_high_rate_has_the_broker_wait_for_more_bytes_or_the_time() -> None:
    consumer = Asking()
    made = thread()
    made._gather(consumer, 0.02)
    assert consumer.asks == (64 * 1024, 20)
    made._gather(consumer, 0.0)
    assert consumer.asks == AT_ONCE
    assert made._gathering is None


async def test_when_nothing_more_comes_the_next_record_is_answered_at_once_again() -> None:
    consumer = Asking()
    thread()._gather(consumer, 0.005)
    deadline = time.monotonic() + 5
    while consumer.asks != AT_ONCE:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_what_comes_again_puts_the_end_of_the_load_off() -> None:
    consumer = Asking()
    made = thread()
    made._gather(consumer, 0.01)
    first = made._gathering
    made._gather(consumer, 0.01)
    assert first.cancelled()
    assert not made._gathering.cancelled()
    made._gather(consumer, 0.0)
