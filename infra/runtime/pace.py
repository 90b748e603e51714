"""How long a reader gathers records before it works on them: nothing under little load, up to a limit as load rises. Pure."""

from __future__ import annotations

from math import exp
from typing import Final

_MEMORY_SECONDS: Final = 0.3
"""Over about so long the rate is told: a burst is noticed in time, and a pause is not taken for the end of one."""

PER_RECORD: Final = 40e-6
"""Seconds that each record a second adds: at 200/s 8 ms, at 1 000/s 40 ms, so that batches grow with the square."""

_WORTH: Final = 1.5
"""Records that must be expected meanwhile. To gather fewer only makes all of them late."""


class Pace:
    """A batch of one record costs nearly as much as one of fifty: requests, wake-ups, a transaction. So whoever reads at
    a high rate waits a little for more, and whoever finds nothing to read begins at once with what comes next.

    longest: seconds. per_record: seconds that each record a second adds, more where a batch costs more.
    """

    def __init__(self, longest: float, per_record: float = PER_RECORD) -> None:
        self._longest = longest
        self._per_record = per_record
        self._rate = 0.0
        self._at: float | None = None

    def took(self, count: int, now: float) -> float:
        """Note that `count` records were read at `now`, in seconds. Returns for how long to gather the next ones."""
        if self._at is not None and now > self._at:
            passed = now - self._at
            self._rate += (1 - exp(-passed / _MEMORY_SECONDS)) * (count / passed - self._rate)
        self._at = now
        gather = min(self._longest, self._rate * self._per_record)
        return gather if gather * self._rate >= _WORTH else 0.0
