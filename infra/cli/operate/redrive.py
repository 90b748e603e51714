"""Carries a redrive out: marks what it begins, appends, marks what is done. Killed anywhere, a second run goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.appending import Appender, Record
from infra.cli.operate.discard import Farewell
from infra.cli.operate.letter import (
    BEGUN,
    DISCARDED,
    MARK,
    REDRIVEN,
    Discard,
    Letter,
    Partition,
    headers_of,
    letters_of,
    mark_of,
)
from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.plan import Deed

AT_ONCE: Final = 500


class Redrive:
    """Letters of one group. Raises KafkaException, and Problem where the broker does not take what is appended."""

    def __init__(self, bootstrap: str, group: str, dead: str) -> None:
        self.group = group
        self.dead = dead
        self.log = Log(bootstrap)
        self._appender = Appender(
            bootstrap, hint="Run the same again: what was appended is known, and is not appended twice."
        )

    def read(self) -> dict[Place, Partition]:
        """Return the letters as they are now, those that an interrupted run did append settled first."""
        found = letters_of(self.log.read(self.log.bounds([self.dead])))
        for partition in found.values():
            self._finish(partition)
        return found

    def carry_out(self, deeds: Sequence[Deed]) -> dict[Place, int]:
        """Append all, in order. Returns the end of each partition of the letters' topics before anything came to it."""
        before: dict[Place, int] = {}
        for place, together in groupby(deeds, key=lambda deed: Place(deed.topic, deed.partition)):
            mine = list(together)
            ends = self.log.bounds([place.topic])
            if place not in ends:
                raise Problem(f"{place.topic} has no partition {place.partition}", exit_code=Exit.NOT_FOUND)
            before.setdefault(place, ends[place].end)
            for at in range(0, len(mine), AT_ONCE):
                self._chunk(place, mine[at : at + AT_ONCE], ends[place].end)
        return before

    def taken(self, before: Mapping[Place, int], *, seconds: float) -> bool:
        """Wait until the group has taken all that is in these partitions by now. False: it has not."""
        ends = {
            place: span.end for place, span in self.log.bounds({p.topic for p in before}).items() if place in before
        }
        deadline = time.monotonic() + seconds
        while True:
            committed = self.log.committed(self.group)
            if all(committed.get(place, 0) >= end for place, end in ends.items()):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)

    def discard(self, letters: Sequence[Letter], farewells: Sequence[Farewell], why: Discard) -> None:
        """Give letters up: say so to whoever waits, then mark them. Killed in between, it is said again, and is the same."""
        said = [
            Record(place=Place(said.topic, said.partition), key=said.key, value=said.value, headers=())
            for said in farewells
        ]
        for at in range(0, len(said), AT_ONCE):
            self._append(said[at : at + AT_ONCE])
        for at in range(0, len(letters), AT_ONCE):
            self._append(self._marks(letters[at : at + AT_ONCE], DISCARDED, why=why))

    def _chunk(self, place: Place, deeds: Sequence[Deed], end: int) -> None:
        letters = [letter for deed in deeds for letter in deed.letters]
        self._append(self._marks(letters, BEGUN, end=end))
        self._append(
            [
                Record(
                    place=place,
                    key=deed.key,
                    value=deed.value,
                    headers=((REDRIVEN, ",".join(_tag(letter) for letter in deed.letters).encode()),),
                )
                for deed in deeds
            ]
        )
        self._append(self._marks(letters, REDRIVEN))

    def _marks(
        self, letters: Sequence[Letter], mark: str, *, end: int | None = None, why: Discard | None = None
    ) -> list[Record]:
        by_place: dict[Place, list[int]] = {}
        for letter in letters:
            by_place.setdefault(letter.place, []).append(letter.offset)
        return [
            Record(place=place, key=None, value=mark_of(offsets, end=end, why=why), headers=((MARK, mark.encode()),))
            for place, offsets in by_place.items()
        ]

    def _finish(self, partition: Partition) -> None:
        """Settle letters whose redrive began and never came to its end, where they are in their topic again."""
        open_ones = [letter for letter in partition.letters if letter.offset in partition.begun]
        if not open_ones:
            return
        begins: dict[Place, int] = {}
        for letter in open_ones:
            target, begin = Place(letter.topic, letter.partition), partition.begun[letter.offset]
            begins[target] = min(begins.get(target, begin), begin)
        spans = {
            target: Bounds(max(span.start, begins[target]), span.end)
            for target, span in self.log.bounds({target.topic for target in begins}).items()
            if target in begins
        }
        there = {tag for message in self.log.read(spans) for tag in headers_of(message).get(REDRIVEN, "").split(",")}
        done = [letter for letter in open_ones if _tag(letter) in there]
        if done:
            self._append(self._marks(done, REDRIVEN))
            partition.settled |= {letter.offset for letter in done}

    def _append(self, records: Sequence[Record]) -> None:
        self._appender.append(records)


def _tag(letter: Letter) -> str:
    return f"{letter.place.topic}/{letter.place.partition}:{letter.offset}"
