"""One run: a seed, and which parts of its workload; what came of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn
from unittest.mock import patch

from tests.simulation.clock import SECOND, Clock
from tests.simulation.edge import Edge
from tests.simulation.faults import Faults
from tests.simulation.invariants import check
from tests.simulation.platform import EndedError, Platform
from tests.simulation.worker import Build
from tests.simulation.workload import People, Timed, draw
from topologies.faust import ending

TRACED: Final = 400
LULL: Final = 12 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """failure: the invariant that does not hold, None where all do. trace: what happened, the last of it."""

    seed: str
    failure: str | None
    trace: Sequence[str]
    steps: int
    hits: int
    records: int
    kept: tuple[int, ...]


class Run:
    """keep: the numbers of the parts of the workload that are done; None: all."""

    def __init__(self, seed: str, *, keep: Sequence[int] | None = None, build: Build | None = None) -> None:
        self.seed = seed
        self.trace: list[str] = []
        chance = random.Random(f"{seed}/run")
        self.items = [timed for timed in draw(seed) if keep is None or timed.number in keep]
        self.clock = Clock()
        rate = chance.choice((0.0, 0.002, 0.01, 0.03))
        self.faults = Faults(seed, rate=rate, limit=chance.choice((5, 30, 80)), note=self.note)
        self.platform = Platform(seed, self.clock, self.faults, self.note, build or Build())
        self.edge = Edge(self.platform.broker, self.clock, self.faults, self.platform.settle)
        self.platform.outside = lambda: self.edge.waiting
        self._scalings = [chance.randrange(60 * SECOND) for _ in range(chance.choice((0, 0, 2, 6)))]

    def note(self, what: str) -> None:
        self.trace.append(f"{self.clock.now / SECOND:10.6f} {what}")

    def go(self) -> Result:
        failure: str | None = None
        with patch.object(ending, "end", _end):
            try:
                self._storm(People(self.edge, self.seed))
            except AssertionError as failed:
                failure = f"{type(failed).__name__}: {failed}".removeprefix("AssertionError: ")
            finally:
                self.platform.close()
        return Result(
            seed=self.seed,
            failure=failure,
            trace=self.trace[-TRACED:],
            steps=self.clock.happened,
            hits=self.faults.hits,
            records=sum(len(log) for log in self.platform.broker.logs.values()),
            kept=tuple(timed.number for timed in self.items),
        )

    def _storm(self, people: People) -> None:
        self.note("storm")
        self.faults.on = self.edge.storming = True
        self.platform.tick(True)
        for timed in self.items:
            self.clock.after(timed.at, partial(self._do, people, timed))
        for at in self._scalings:
            self.clock.after(at, self._scale)
        self.platform.run(self.items[-1].at + 10 * SECOND if self.items else 10 * SECOND)
        self.note("calm")
        self.faults.on = False
        self.platform.tick(False)
        self.platform.settle()
        # A case whose event was late is known by now; whatever is due comes now.
        self.platform.tick(True)
        self.platform.run(LULL)
        self.platform.tick(False)
        self.platform.settle()
        check(self.platform, people)

    def _do(self, people: People, timed: Timed) -> None:
        self.note(f"#{timed.number} {timed.item}")
        people.do(timed.item, self.clock.now)

    def _scale(self) -> None:
        if self.faults.on:
            self.platform.scale_one()


def _end(cause: str) -> NoReturn:
    raise EndedError(cause)


def shrink(
    result: Result, *, build: Build | None = None, runs: int = 60, went: Callable[[], Any] = lambda: None
) -> Result:
    """Leave out parts of the workload as long as the run still fails, in at most so many runs; return the shortest."""
    best, size = result, max(len(result.kept) // 2, 1)
    while runs > 0 and size:
        smaller = False
        for at in range(0, len(best.kept), size):
            if runs <= 0:
                break
            runs -= 1
            went()
            kept = best.kept[:at] + best.kept[at + size :]
            tried = Run(best.seed, keep=kept, build=build).go()
            if tried.failure is not None:
                best, smaller = tried, True
                break
        if not smaller:
            size //= 2
    return best
