"""What goes wrong, and how long things take: all of it drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.simulation.clock import MILLISECOND, SECOND


class Faults:
    """rate: how likely a process is hit at any one of its steps. limit: how many hits there are in all."""

    def __init__(self, seed: str, *, rate: float, limit: int, note: Callable[[str], None]) -> None:
        self.on = False
        self.hits = 0
        self._chance = random.Random(f"{seed}/faults")
        self._net = random.Random(f"{seed}/net")
        self._rate = rate
        self._limit = limit
        self._note = note

    def strike(self, name: str) -> int | None:
        if not self.on or self.hits >= self._limit or self._chance.random() >= self._rate:
            return None
        self.hits += 1
        if self._chance.random() < 0.6:
            self._note(f"kill {name}")
            return 0
        span = round(self._chance.choice((0.05, 0.5, 3.0, 7.0, 14.0, 30.0)) * self._chance.uniform(0.5, 1.5) * SECOND)
        self._note(f"stop {name} for {span / SECOND:.3f} s")
        return span

    def stall(self, name: str) -> int | None:
        """Return for how long a process is stopped with a request made and not yet sent: what makes a zombie of it."""
        if not self.on or self.hits >= self._limit or self._chance.random() >= 5 * self._rate:
            return None
        self.hits += 1
        span = round(self._chance.uniform(8, 30) * SECOND)
        self._note(f"stop {name} before it writes, for {span / SECOND:.3f} s")
        return span

    def away(self) -> bool:
        """Whether a store does not answer this time."""
        return self.on and self._chance.random() < 0.05

    def forgets(self) -> bool:
        """Whether the broker acks a retry, of which it does not tell the offset."""
        return self.on and self._chance.random() < 0.02

    def jitter(self) -> int:
        return self._net.randint(0, 2 * MILLISECOND)

    def trip(self) -> int:
        """How long a request or its answer takes: mostly little."""
        if self.on and self._net.random() < 0.02:
            return self._net.randint(100 * MILLISECOND, 6 * SECOND)
        return self._net.randint(100, 5 * MILLISECOND)

    def restart(self) -> int:
        return self._net.randint(50 * MILLISECOND, 5 * SECOND)

    def some(self, upper: int) -> int:
        """Return a number from 0 to `upper`."""
        return self._net.randint(0, upper)

    def shuffle(self, things: list[int]) -> list[int]:
        self._net.shuffle(things)
        return things
