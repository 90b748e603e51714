"""SIGTERM and SIGINT as a `threading.Event`, for processes without an event loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue


@contextmanager
def told(stop: threading.Event) -> Iterator[None]:
    """Set `stop` when the process is asked to end, while inside. To be entered in the main thread.

    The handler sets nothing itself: it would wait for ever for a lock of the event that its own thread holds. Putting
    into a SimpleQueue is safe there, and another thread does the rest.
    """
    asked: SimpleQueue[bool] = SimpleQueue()

    def watch() -> None:
        if asked.get():
            stop.set()

    watching = threading.Thread(target=watch, name="signals", daemon=True)
    watching.start()
    before = {number: signal.signal(number, lambda *_: asked.put(True)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        asked.put(False)
        watching.join()
