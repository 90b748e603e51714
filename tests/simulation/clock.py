"""Virtual time. Nothing waits: the clock jumps to whatever is due next."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000


class Clock:
    """now: microseconds since the run began. What is due at the same moment happens in the order in which it was asked."""

    def __init__(self) -> None:
        self.now = 0
        self.happened = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._asked = 0

    def after(self, delay: int, action: Callable[[], None]) -> None:
        self._asked += 1
        heappush(self._due, (self.now + delay, self._asked, action))

    def step(self) -> bool:
        """Let the next thing happen. False: nothing is left to happen."""
        if not self._due:
            return False
        self.now, _, action = heappop(self._due)
        self.happened += 1
        action()
        return True
