"""Where a loop stands in each of its partitions. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sinks.base import Entry


class Hole(Exception):  # noqa: N818
    """A record is missing between the last one and this one: internal topics have adjacent offsets."""


class Positions:
    """The next offset of every assigned partition. `epoch` goes up whenever they are given or taken."""

    def __init__(self) -> None:
        self.epoch = 0
        self._next: dict[int, int] = {}
        self._applied: dict[int, int] = {}
        self._held: dict[int, str] = {}

    @property
    def partitions(self) -> list[int]:
        return sorted(self._next)

    def nexts(self) -> dict[int, int]:
        return dict(self._next)

    def assign(self, nexts: Mapping[int, int]) -> None:
        """Begin anew with these partitions and no others."""
        self.epoch += 1
        self._next = dict(nexts)
        self._applied.clear()
        self._held = {}

    def revoke(self) -> None:
        self.assign({})

    def expects(self, partition: int, offset: int) -> bool:
        """Whether this record is the next one. False: of a partition not ours or held, or seen. Raises Hole."""
        expected = self._next.get(partition)
        if expected is None or partition in self._held or offset < expected:
            return False
        if offset > expected:
            raise Hole(f"partition {partition}: expected offset {expected}, got {offset}")
        return True

    def took(self, partition: int, offset: int) -> None:
        self._next[partition] = offset + 1

    def hold(self, partition: int, cause: str) -> None:
        """Take nothing more of this partition until partitions are assigned again."""
        self._held = {**self._held, partition: cause}

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._held)

    def held_causes(self) -> list[str]:
        """Return why partitions are held, in words. For any thread."""
        return list(self._held.values())

    def applied(self, entries: Sequence[Entry[Any]]) -> None:
        for entry in entries:
            self._applied[entry.raw.partition] = entry.raw.offset + 1

    def uncommitted(self) -> dict[int, int]:
        """Return the next offsets after what was applied since the last call."""
        offsets, self._applied = self._applied, {}
        return offsets
