"""Ctrl-C, SIGTERM and a closed terminal: each asks a stack to stop in order."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Final, Self

_ASKS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Asked to stop while something was being started."""


class Signals:
    """asked: whether one came. While `raising`, the first one interrupts what the main thread does.

    A plain flag, not an Event: a handler that takes a lock which its own thread holds would wait for ever.
    """

    def __init__(self) -> None:
        self.asked = False
        self.raising = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _ASKS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        first, self.asked = not self.asked, True
        if first and self.raising:
            raise Interrupted
