"""A process' side of its group: heartbeats, commits, and giving up what is taken away."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from tests.simulation.clock import MILLISECOND, SECOND
from tests.simulation.faults import Faults
from tests.simulation.group import HEARTBEAT, Group
from tests.simulation.process import Process


class Worker(Protocol):
    """What works on the partitions that the group gives."""

    @property
    def idle(self) -> bool: ...

    def offsets(self) -> dict[int, int]: ...

    def assigned(self, partitions: list[int], /) -> None: ...

    def revoked(self) -> None: ...


class Membership:
    """heart: when the group was last asked with success. open: whether new work may begin."""

    def __init__(self, process: Process, group: Group, faults: Faults, worker: Worker) -> None:
        self.name = process.name
        self.open = False
        self.heart = process.clock.now
        self._process = process
        self._group = group
        self._faults = faults
        self._worker = worker
        self._generation = -1
        self._rejoining = True

    def start(self) -> None:
        self._group.join(self)
        self._process.after(HEARTBEAT, self._beat)
        self._process.after(SECOND, self._commit)

    def leave(self) -> None:
        """Finish, commit, leave the group and end, as on SIGTERM."""
        if not self._rejoining:
            self._rejoining, self.open = True, False
            self._process.spawn(self._depart())

    def given(self, generation: int, partitions: list[int]) -> None:
        self._process.after(self._faults.trip(), lambda: self._given(generation, partitions))

    def _given(self, generation: int, partitions: list[int]) -> None:
        self._generation, self._rejoining, self.open = generation, False, True
        self.heart = self._process.clock.now
        self._worker.assigned(partitions)

    def _beat(self) -> None:
        self._process.after(HEARTBEAT, self._beat)
        answer = self._group.heartbeat(self.name, self._generation)
        if answer == "ok":
            self.heart = self._process.clock.now
        elif not self._rejoining:
            self._rejoining, self.open = True, False
            self._process.spawn(self._rejoin())

    async def _give_up(self) -> None:
        """What is in flight is finished first, and committed if the group still takes it."""
        while not self._worker.idle:
            await self._process.sleep(5 * MILLISECOND)
        await self._process.sleep(self._faults.trip())
        self._group.commit(self.name, self._generation, self._worker.offsets())
        await self._process.sleep(self._faults.trip())
        self._worker.revoked()

    async def _rejoin(self) -> None:
        await self._give_up()
        self._group.join(self)

    async def _depart(self) -> None:
        await self._give_up()
        self._group.leave(self.name)
        self._process.after(0, self._process.kill)

    def _commit(self) -> None:
        self._process.after(SECOND, self._commit)
        offsets = self._worker.offsets()
        if offsets:
            self._process.after(self._faults.trip(), partial(self._arrive, self._generation, offsets))

    def _arrive(self, generation: int, offsets: dict[int, int]) -> None:
        self._group.commit(self.name, generation, offsets)
