"""What a stopped worker wrote late is found and mended in a partition that gets no commands, too."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from tests.unit.faust.test_hazards import Acks, EndedError, Recording, Wire
from topologies.faust import ending
from topologies.faust.changelog import Changelog
from topologies.faust.rows import Rows
from topologies.faust.stage import Stage
from topologies.faust.status import Status
from topologies.faust.upkeep import Upkeep
from topologies.guard import Guard, newer

OLD, NEW = Guard(1, 5).encode(b"old"), Guard(1, 9).encode(b"new")


@pytest.fixture(autouse=True)
def endings(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(cause: str) -> None:
        raise EndedError(cause)

    monkeypatch.setattr(ending, "end", end)


class Worker:
    """A stage over these rows, of which partition 0 is assigned, with a changelog that ends where `ends` says."""

    def __init__(self, *, age: float = 0.0) -> None:
        self.wire, self.acks, self.rows = Wire(), Acks(), Rows(newer)
        self.acks.age = age
        self.stage = Stage(
            Recording(),
            rows=self.rows,
            sender=self.wire,
            changelog=Changelog("log", self.wire),
            consumer=self.acks,
            max_silence=7.5,
        )
        self.status = Status("kept", lambda: None)
        self.status.assigned([0])
        self.ends: dict[TP, int] = {}
        app: Any = SimpleNamespace(consumer=self)
        self.upkeep = Upkeep(self.stage, self.rows, app, self.status, "log")

    async def highwaters(self, *partitions: TP) -> dict[TP, int]:
        await asyncio.sleep(0)
        return {tp: self.ends[tp] for tp in partitions if tp in self.ends}


async def test_an_older_row_that_came_last_is_written_over_without_a_command() -> None:
    held = Worker()
    held.rows.recover(0, [(b"k", NEW), (b"k", OLD)])
    held.rows.applied[0] = -1

    held.stage.mend(held.status.partitions)
    assert not held.stage.idle(0)
    await held.stage._tasks[0]

    assert held.wire.log == ["changelog", "rows 1"]
    assert held.rows.of(0).get(b"k") == NEW
    assert held.rows.applied[0] == 0
    held.stage.mend(held.status.partitions)
    assert held.stage.idle(0), "there is nothing left to mend"


async def test_rows_of_a_partition_that_another_worker_owns_are_left_to_it() -> None:
    held = Worker()
    held.rows.recover(1, [(b"k", NEW), (b"k", OLD)])

    held.stage.mend(held.status.partitions)

    assert held.stage.idle(1)
    assert held.rows.to_repair(1)


async def test_a_worker_that_may_have_lost_the_partition_mends_nothing() -> None:
    held = Worker(age=8.0)
    held.rows.recover(0, [(b"k", NEW), (b"k", OLD)])

    held.stage.mend(held.status.partitions)

    with pytest.raises(EndedError, match="no heartbeat"):
        await held.stage._tasks[0]
    assert held.wire.log == []


async def test_a_changelog_that_ends_behind_what_this_worker_wrote_ends_it() -> None:
    held = Worker()
    held.rows.applied[0] = 7
    held.ends[TP("log", 0)] = 8
    await held.upkeep.look()

    held.ends[TP("log", 0)] = 9
    with pytest.raises(EndedError, match="another worker wrote to it"):
        await held.upkeep.look()


async def test_a_write_of_its_own_meanwhile_is_nobody_elses() -> None:
    held = Worker()
    held.rows.applied[0] = 7
    held.ends[TP("log", 0)] = 9
    looking = asyncio.create_task(held.upkeep.look())
    await asyncio.sleep(0)
    held.rows.applied[0] = 8

    await looking


async def test_while_partitions_move_nothing_is_asked() -> None:
    held = Worker()
    held.rows.applied[0] = 7
    held.ends[TP("log", 0)] = 9
    held.status.not_ready("rebalancing")

    await held.upkeep.look()


async def test_a_broker_that_is_away_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Worker()
    held.rows.applied[0] = 7

    async def away(*_: Any) -> Any:
        raise ConnectionError("away")

    monkeypatch.setattr(held, "highwaters", away)
    await held.upkeep.look()
