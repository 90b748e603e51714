"""A fixed set of seeds, and the proof that the simulation sees what is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import pytest

from tests.simulation.__main__ import main
from tests.simulation.index import MemoryIndex
from tests.simulation.run import Run, shrink
from tests.simulation.worker import Build
from topologies.faust.batch import Batch
from topologies.faust.stage import Stage
from topologies.guard import TIMER, Guard, split
from topologies.runner import StageFold
from topologies.step import Record, RowReader, Step
from topologies.timers import TimerIndex

SEEDS = 240
REMOVED_ROWS = ("426", "831")
"""A removal of a row that a stopped worker wrote late took the newer row with it."""

ZOMBIES = ("0", "17", "110")
"""A stopped worker wrote an older row of a key after a newer one."""


@pytest.mark.parametrize("first", range(0, SEEDS, 40))
def test_every_invariant_holds_whatever_dies_and_stops(first: int) -> None:
    hits = 0
    for seed in range(first, first + 40):
        result = Run(str(seed)).go()
        assert result.failure is None, f"{result.failure}\nagain: python -m tests.simulation --seed {seed}"
        hits += result.hits
    assert hits > 40


def test_two_triggers_that_met_ended_cases_all_along_come_to_one_case() -> None:
    assert Run("1280").go().failure is None


def test_a_seed_reproduces() -> None:
    one, other = Run("11").go(), Run("11").go()
    assert one.trace == other.trace
    assert one == other
    assert one.trace != Run("12").go().trace


def test_the_command_runs_seeds_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--from", "7", "--jobs", "1"]) == 0
    assert "2 seeds from 7" in capsys.readouterr().out
    assert main(["--seed", "7", "--keep", "0,1"]) == 0
    assert "seed 7: every invariant holds" in capsys.readouterr().out


# Parts that are broken on purpose: each must be seen.


class CommitsBeforeRows(Stage):
    async def process(self, *batches: Batch) -> None:
        for batch in batches:
            self._consumer.ack_batch(batch)
        await super().process(*batches)


class WritesRowsBeforeSends(Stage):
    async def process(self, *batches: Batch) -> None:
        (batch,) = batches
        step = self._fold.fold(batch.partition, batch.records, self._rows.of(batch.partition))
        await self._store(batch.partition, step)
        await self._sender.send(step.broadcasts)
        await self._sender.send(step.sends)
        self._consumer.ack_batch(batch)


class ForgetsTheLastSend(StageFold):
    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step:
        step = super().fold(partition, records, rows)
        if len(step.sends) > 6:
            step.sends.pop()
        return step


class RemovesWithoutAVersion(StageFold):
    """What the runner did before: a row that goes leaves nothing."""

    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step:
        step = super().fold(partition, records, rows)
        for n, (first, *others) in enumerate(step.rows):
            step.rows[n] = (
                first,
                *((key, row if row and (row[0] == TIMER or split(row)[1]) else None) for key, row in others),
            )
        return step


def _never(*_: Any) -> bool:
    return False


def _put_whatever_is_there(index: MemoryIndex, name: str, version: int, source: dict[str, Any]) -> None:
    index.documents[name] = (version, source)


def _passed_over(*_: Any) -> None:
    """An index of timers that is told nothing of what is written."""


def _found(build: Build, seeds: int) -> str:
    """Return the first failure among the seeds."""
    return next(
        (result.failure for seed in range(seeds) if (result := Run(str(seed), build=build).go()).failure), "nothing"
    )


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Build(runner=CommitsBeforeRows), "I7"),
        (Build(runner=WritesRowsBeforeSends), "I7"),
        (Build(fold=ForgetsTheLastSend), "I7"),
    ],
)
def test_a_broken_step_is_found(build: Build, said: str) -> None:
    assert said in _found(build, 40)


@pytest.mark.parametrize(
    ("owner", "name", "broken", "seeds"),
    [
        (Guard, "repeated", _never, 20),
        (MemoryIndex, "put", _put_whatever_is_there, 100),
        (TimerIndex, "written", _passed_over, 20),
    ],
)
def test_a_dropped_guard_is_found(owner: type[Any], name: str, broken: Callable[..., Any], seeds: int) -> None:
    with patch.object(owner, name, broken):
        assert _found(Build(), seeds) != "nothing"


@pytest.mark.parametrize("seed", ZOMBIES)
def test_recovery_that_takes_the_last_row_and_not_the_highest_is_found(seed: str) -> None:
    assert "I7" in (Run(seed, build=Build(newer=None)).go().failure or "")
    assert Run(seed).go().failure is None


@pytest.mark.parametrize("seed", REMOVED_ROWS)
def test_a_late_write_of_a_stopped_worker_removes_no_newer_row(seed: str) -> None:
    with patch("tests.simulation.oracle.StageFold", RemovesWithoutAVersion):
        broken = Run(seed, build=Build(fold=RemovesWithoutAVersion)).go()
    assert "is not its fold" in (broken.failure or "")
    assert Run(seed).go().failure is None


def test_a_failure_is_shown_in_short() -> None:
    build = Build(runner=CommitsBeforeRows)
    failed = Run("2", build=build).go()
    assert failed.failure is not None
    short = shrink(failed, build=build, runs=20)
    assert short.failure is not None
    assert len(short.kept) < len(failed.kept)
    assert Run("2", keep=short.kept, build=build).go().failure == short.failure
