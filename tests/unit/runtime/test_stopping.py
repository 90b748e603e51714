"""A process that is asked to end, whatever its main thread holds at that moment."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from infra.runtime.stopping import told

SECONDS = 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_the_old_handler_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stop = threading.Event()
    with told(stop):
        os.kill(os.getpid(), number)
        assert stop.wait(SECONDS)

    assert signal.getsignal(number) is before


def test_a_signal_that_comes_while_the_events_lock_is_held_does_not_hang() -> None:
    stop = threading.Event()
    with told(stop):
        with vars(stop)["_cond"]:
            # The handler runs in this thread, here, where it could never have the lock.
            signal.raise_signal(signal.SIGTERM)
        assert stop.wait(SECONDS)


def test_without_a_signal_nothing_is_set() -> None:
    stop = threading.Event()
    with told(stop):
        pass

    assert not stop.is_set()
