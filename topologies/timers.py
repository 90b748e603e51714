"""Timers as rows, and which of them are due: an index of a partition's rows that follows what is written to them.

A timer is a row `ROW|timer/NAME` next to the row it belongs to. Layout, big-endian: u8 format, u16 generation, i64 offset,
u32 step (as a guard begins), i64 due (milliseconds since 1970; -1: not pending any more), 16 bytes the id of the record that
set it, 16 bytes its correlation id. Fixed, so that a million of them are indexed without decoding one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from topologies.guard import TIMER

_ROW: Final = struct.Struct(">BHqIq16s16s")
_DUE: Final = struct.Struct(">q")
_DUE_AT: Final = 15
_NONE: Final = -1
_MARK: Final = "|timer/"
_SPARE: Final = 1_000


class Timer(NamedTuple):
    """generation, offset, step: of the record that wrote it. due: None where it is not pending any more."""

    generation: int
    offset: int
    step: int
    due: int | None
    cause: bytes = bytes(16)
    chain: bytes = bytes(16)

    def encode(self) -> bytes:
        due = _NONE if self.due is None else self.due
        return _ROW.pack(TIMER, self.generation, self.offset, self.step, due, self.cause, self.chain)

    @classmethod
    def decode(cls, row: bytes) -> Timer:
        """Raises ValueError where the row is no timer."""
        if len(row) != _ROW.size or row[0] != TIMER:
            raise ValueError("the row is no timer")
        _, generation, offset, step, due, cause, chain = _ROW.unpack(row)
        return cls(generation, offset, step, None if due == _NONE else due, cause, chain)


def timer_key(key: str, name: str) -> str:
    return f"{key}{_MARK}{name}"


def is_timer_key(key: str) -> bool:
    return _MARK in key


def named(key: bytes) -> tuple[str, str]:
    """Return the key of the row that a timer belongs to, and the timer's name."""
    row, _, name = key.decode().rpartition(_MARK)
    return row, name


def pending(row: bytes | None) -> int | None:
    """Return when a row's timer is due; None where it is no timer, or not pending."""
    if row is None or row[0] != TIMER:
        return None
    (due,) = _DUE.unpack_from(row, _DUE_AT)
    return None if due == _NONE else due


def scan(rows: Mapping[bytes, bytes], upto: int) -> list[tuple[int, bytes]]:
    """Return what is due at `upto`, by (due, key), by looking at every row. What an index must come to."""
    found = ((pending(row), key) for key, row in rows.items())
    return sorted((due, key) for due, key in found if due is not None and due <= upto)


class TimerIndex:
    """Which timers of one partition's rows are due when. The rows are the authority: an entry that they do not bear out counts
    for nothing, so the index cannot be wrong, only late to forget.

    Made of the rows when it is first asked; told of every row that is written after that.
    """

    __slots__ = ("_heap", "_live", "_ripe", "_rows")

    def __init__(self, rows: Mapping[bytes, bytes]) -> None:
        self._rows = rows
        # One tuple a timer, its key shared with the rows.
        self._heap: list[tuple[int, bytes]] = [
            (due, key) for key, row in rows.items() if row[0] == TIMER and (due := pending(row)) is not None
        ]
        heapify(self._heap)
        self._ripe: list[tuple[int, bytes]] = []
        self._live = len(self._heap)

    def __len__(self) -> int:
        """How many are pending."""
        return self._live

    def written(self, key: bytes, before: bytes | None, after: bytes | None) -> None:
        """Note that a row was written. Anything but a timer is passed over."""
        was, due = pending(before), pending(after)
        if was == due:
            return
        self._live += (due is not None) - (was is not None)
        if due is not None:
            heappush(self._heap, (due, key))

    @property
    def overgrown(self) -> bool:
        """Whether so many entries are stale that making the index anew is less work than keeping them."""
        return len(self._heap) + len(self._ripe) > 2 * self._live + _SPARE

    def due(self, upto: int) -> Iterator[tuple[int, bytes]]:
        """Return the pending timers that are due at `upto`, by (due, key). They stay pending until their rows say otherwise.

        Work and memory are those of what is taken of it. Asking again begins anew.
        """
        rows, heap = self._rows, self._heap
        for entry in self._ripe:
            heappush(heap, entry)
        taken = self._ripe = []
        while heap and heap[0][0] <= upto:
            entry = heappop(heap)
            # Set, changed and set back, a timer has two entries that say the same.
            if pending(rows.get(entry[1])) == entry[0] and (not taken or taken[-1] != entry):
                taken.append(entry)
                yield entry
