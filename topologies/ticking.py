"""The timers of one partition as a batch sees them: with what it has changed so far, and which of them a tick lets fire."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Final

from streams.clock import LastTick
from topologies.guard import Guard
from topologies.step import RowReader
from topologies.timers import Timer

LAST_TICK: Final = "|clock"
"""The key of the row that has a partition's last tick. It belongs to no tenant."""

FIRED_PER_TICK: Final = 2_000
"""How many timers of a partition one tick lets fire, the oldest first; the rest are for the next one."""

STRIDE: Final = 1_024
"""How many records for others one fired timer may lead to: they are numbered through over all timers of a tick."""


class BatchTimers:
    """Reads the rows' timers, and holds those that the batch wrote."""

    __slots__ = ("_base", "_written")

    def __init__(self, base: RowReader) -> None:
        self._base = base
        self._written: dict[bytes, Timer] = {}

    def get(self, key: bytes) -> Timer | None:
        written = self._written.get(key)
        if written is not None:
            return written
        row = self._base.get(key)
        return None if row is None else Timer.decode(row)

    def put(self, key: bytes, timer: Timer) -> None:
        self._written[key] = timer

    def due(self, at: int, place: tuple[int, int]) -> Iterator[tuple[bytes, Timer]]:
        """Return what the tick `at` finds due, by (due, key), as it is when its turn comes.

        place: generation and offset of the tick. What was set at it or behind it is not for this tick: delivered again, after
        half of its timers were written or all of them and more, it comes to the same.
        """
        written = self._written
        ours = [(timer.due, key) for key, timer in written.items() if timer.due is not None and timer.due <= at]
        known = frozenset(written)
        theirs = (entry for entry in self._base.due(at) if entry[1] not in known)
        for due, key in merge(sorted(ours), theirs):
            timer = self.get(key)
            if timer is not None and timer.due == due and (timer.generation, timer.offset) < place:
                yield key, timer


def missed(guard: Guard, last: LastTick | None, at: int, place: tuple[int, int]) -> bool:
    """Whether a tick is not above the last one that its partition had, other than being that one again."""
    held = (guard.generation, guard.offset)
    return held > place or (held != place and last is not None and at <= last.at)
