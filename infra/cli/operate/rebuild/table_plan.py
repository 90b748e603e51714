"""What a changelog lacks, compared with the rows that the topics say: decided before anything is written. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from topologies.guard import newer, split
from topologies.step import RowGroup, size_of

GROUP_BYTES: Final = 800_000
"""What goes into one record batch at most. A row and its sub-rows are more only where a case has thousands of comments."""

BROKEN: Final = (struct.error, ValueError, IndexError)


@dataclass(slots=True)
class TablePlan:
    """Of one partition. removals: rows that go first, as recovery would keep them over what is written. groups: what is
    written, all of a key together. kept: rows of a guard alone from before the commands that are still there.
    """

    removals: list[RowGroup] = field(default_factory=list)
    groups: list[RowGroup] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    kept: int = 0

    @property
    def differs(self) -> int:
        return self.new + self.changed + self.gone


def compare(held: Mapping[bytes, bytes], made: Iterable[RowGroup], *, start: int) -> TablePlan:
    """Return what makes a recovery come to `made`, row by row. held: what it comes to now. start: of the commands' log."""
    plan = TablePlan()
    names: set[bytes] = set()
    for group in made:
        wanted: list[tuple[bytes, bytes | None]] = []
        for name, row in group:
            assert row is not None
            names.add(name)
            there = held.get(name)
            if there is None:
                plan.new += 1
            elif there == row or _as_good(there, row, start):
                plan.same += 1
                continue
            else:
                plan.changed += 1
                if not newer(there, row):
                    plan.removals.append(((name, None),))
            wanted.append((name, row))
        plan.groups += pieces(wanted)
    for name, row in held.items():
        if name in names:
            continue
        guard, state = split(row)
        if not state and guard.offset < start:
            plan.kept += 1
        else:
            plan.gone += 1
            plan.removals.append(((name, None),))
    return plan


def pieces(group: Iterable[tuple[bytes, bytes | None]]) -> Iterator[RowGroup]:
    """Cut a key's rows, its main one last, into as many record batches as they need: nearly always one."""
    piece: list[tuple[bytes, bytes | None]] = []
    size = 0
    for row in group:
        more = size_of((row,))
        if piece and size + more > GROUP_BYTES:
            yield tuple(piece)
            piece, size = [], 0
        piece.append(row)
        size += more
    if piece:
        yield tuple(piece)


def _as_good(held: bytes, made: bytes, start: int) -> bool:
    """Whether a row says the same and guards as much: older commands than there are moved its guard to where it is."""
    (was, state), (now, wanted) = split(held), split(made)
    there = was.offset == now.offset or (was.offset < start and now.offset < start)
    return (
        state == wanted
        and was.generation == now.generation
        and was.step == now.step
        and there
        and was.recent == now.recent
        and now.origins.items() <= was.origins.items()
    )
