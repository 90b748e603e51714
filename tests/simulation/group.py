"""A consumer group as its coordinator keeps it: members, generations, committed offsets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from tests.simulation.clock import SECOND, Clock
from tests.simulation.faults import Faults

SESSION = 10 * SECOND
HEARTBEAT = SESSION // 5
REBALANCE = 2 * SESSION


class Joined(Protocol):
    """A member, as the coordinator answers it."""

    name: str

    def given(self, generation: int, partitions: list[int], /) -> None: ...


class Group:
    """Eager: everybody gives up everything, and all who have joined in time share it anew.

    A commit counts only of a member of this generation. committed: what the next owner of a partition begins with.
    """

    def __init__(
        self, name: str, topic: str, partitions: int, clock: Clock, faults: Faults, note: Callable[[str], None]
    ) -> None:
        self.name = name
        self.topic = topic
        self.generation = 0
        self.committed: dict[int, int] = {}
        self.on_commit: Callable[[int, int], None] = lambda _partition, _offset: None
        self._partitions = partitions
        self._clock = clock
        self._faults = faults
        self._note = note
        self._members: dict[str, int] = {}
        self._owned: dict[str, list[int]] = {}
        self._joining: dict[str, Joined] | None = None
        self._round = 0

    def join(self, member: Joined) -> None:
        """Join, or join again: answered once all have, or those who did not are given up."""
        self._alive(member.name)
        self._begin()
        assert self._joining is not None
        self._joining[member.name] = member
        if len(self._joining) == len(self._members):
            self._clock.after(self._faults.trip(), partial(self._complete, self._round, early=True))

    def leave(self, name: str) -> None:
        if self._members.pop(name, None) is not None:
            if self._joining is not None:
                self._joining.pop(name, None)
            self._begin()

    def heartbeat(self, name: str, generation: int) -> str:
        """Answer "ok", "rejoin" or "unknown"."""
        if name not in self._members:
            return "unknown"
        self._alive(name)
        return "ok" if self._joining is None and generation == self.generation else "rejoin"

    def commit(self, name: str, generation: int, offsets: dict[int, int]) -> bool:
        if name not in self._members or generation != self.generation:
            return False
        for partition, offset in offsets.items():
            if partition in self._owned.get(name, ()):
                self.on_commit(partition, offset)
                self.committed[partition] = offset
        return True

    def _alive(self, name: str) -> None:
        stamp = self._members[name] = self._clock.now
        self._clock.after(SESSION, partial(self._expire, name, stamp))

    def _expire(self, name: str, stamp: int) -> None:
        if self._members.get(name) == stamp and not (self._joining and name in self._joining):
            self._note(f"{self.name} gives up {name}")
            self.leave(name)

    def _begin(self) -> None:
        if self._joining is None:
            self._joining = {}
            self._round += 1
            self._clock.after(REBALANCE, partial(self._complete, self._round, early=False))

    def _complete(self, number: int, *, early: bool) -> None:
        joining = self._joining
        if joining is None or number != self._round or (early and len(joining) < len(self._members)):
            return
        for name in [name for name in self._members if name not in joining]:
            del self._members[name]
        self._joining = None
        self.generation += 1
        self._owned = {name: [] for name in joining}
        names = list(joining)
        if names:
            first = self._faults.some(len(names) - 1)
            for n, partition in enumerate(range(self._partitions)):
                self._owned[names[(first + n) % len(names)]].append(partition)
        for member in joining.values():
            self._alive(member.name)
            member.given(self.generation, list(self._owned[member.name]))
        self._note(f"{self.name} generation {self.generation}: {self._owned}")
