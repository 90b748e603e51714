"""All parts of the platform, put together: processes that are started again when they end, and when they are quiet."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from sinks.base import Raw
from sinks.elasticsearch.writer import ElasticsearchCases
from tests.fakes.views import MemoryTables, MemoryViews
from tests.simulation.broker import Broker
from tests.simulation.clock import MILLISECOND, SECOND, Clock
from tests.simulation.faults import Faults
from tests.simulation.group import Group
from tests.simulation.index import MemoryIndex
from tests.simulation.oracle import Oracle
from tests.simulation.process import Process
from tests.simulation.sink import SinkWorker, Writer
from tests.simulation.ticker import Ticker
from tests.simulation.worker import Build, StageWorker
from topologies.faust.changelog import ForeignRecordError
from topologies.graph import TOPOLOGY, Feed, Stage

CLOCKS: Final = 2

PATIENCE: Final = 900 * SECOND
"""How long a platform on which nothing falls any more may take to become quiet."""

MEMBERS: Final[tuple[Stage | Feed, ...]] = (*TOPOLOGY.stages, *TOPOLOGY.sinks)

Part: TypeAlias = StageWorker | SinkWorker


class EndedError(Exception):
    """A worker ended itself, as `topologies.faust.ending` does."""


EXPECTED: Final = (EndedError, ForeignRecordError)
"""What may end a process under these faults. Anything else is a bug."""


class Unsettled(AssertionError):  # noqa: N818 - it is a finding
    """The platform did not become quiet, or something ended that must not."""


class Platform:
    """dead: what the stages found unreadable. tables: of each Postgres sink, by group."""

    def __init__(self, seed: str, clock: Clock, faults: Faults, note: Callable[[str], None], build: Build) -> None:
        chance = random.Random(f"{seed}/platform")
        self.clock = clock
        self.faults = faults
        self.broker = Broker(chance.choice((1, 2, 3)))
        self.dead: list[tuple[str, str]] = []
        self.tables = {feed.group: MemoryTables() for feed in TOPOLOGY.sinks if feed.into == "postgres"}
        self.index = MemoryIndex()
        self.oracles = {stage.name: Oracle(self.broker, stage) for stage in TOPOLOGY.stages}
        self.outside: Callable[[], int] = lambda: 0
        self.groups: dict[str, Group] = {}
        self._note = note
        self._build = build
        self._chance = chance
        self._batch = chance.choice((1, 3, 20, 500))
        self._parts: dict[str, tuple[str, Part]] = {}
        self._started = 0
        self._wanted: dict[str, int] = {}
        self._broken: str | None = None
        self._ticking = False
        self._tickers: dict[str, Process] = {}
        for member in MEMBERS:
            topic = member.reads if isinstance(member, Stage) else member.topic
            group = Group(member.group, topic, self.broker.partitions, clock, faults, note)
            self.groups[member.group] = group
            if isinstance(member, Stage):
                group.on_commit = self.oracles[member.name].pass_
            self._wanted[member.group] = 0
            self.scale(member.group, chance.choice((1, 1, 2, 3)))

    def scale(self, name: str, count: int) -> None:
        """Let a group have this many processes: new ones are started, the oldest leave in peace."""
        self._wanted[name] = count
        parts = [part for group, part in self._parts.values() if group == name]
        for _ in range(count - len(parts)):
            self._start(name)
        for part in parts[: max(len(parts) - count, 0)]:
            part.membership.leave()

    def scale_one(self) -> None:
        """Let some group have another number of processes."""
        name = self._chance.choice(list(self.groups))
        count = self._chance.choice((1, 2, 3))
        self._note(f"scale {name} to {count}")
        self.scale(name, count)

    def _start(self, name: str) -> None:
        self._started += 1
        process = Process(f"{name}-{self._started}", self.clock, self.faults, self._ended)
        group = self.groups[name]
        part: Part
        member = next(m for m in MEMBERS if m.group == name)
        match member:
            case Stage():
                fold = self._build.fold(
                    member,
                    partitions=self.broker.partitions,
                    on_dead=lambda stage, cause: self.dead.append((stage, cause)),
                )
                part = StageWorker(
                    process, group, fold, broker=self.broker, faults=self.faults, batch=self._batch, build=self._build
                )
            case Feed():
                part = self._sink(member, process, group)
        self._parts[process.name] = (name, part)
        part.membership.start()

    def _sink(self, feed: Feed, process: Process, group: Group) -> SinkWorker:
        writer: Writer
        decode: Callable[[Raw], Any]
        if feed.into == "elasticsearch":
            writer, decode = self._build.index(self.index, process, self.faults), decode_case
        else:
            tables = self.tables[feed.group]
            writer, decode = self._build.views(tables, process, self.faults), MemoryViews(tables).decode
        return SinkWorker(process, group, writer, decode, broker=self.broker, faults=self.faults, batch=self._batch)

    def _ended(self, process: Process, cause: Exception | None) -> None:
        name, _ = self._parts.pop(process.name)
        if cause is not None:
            self._note(f"{process.name} ends: {cause!r}")
            if not isinstance(cause, EXPECTED) and self._broken is None:
                self._broken = f"{process.name} ended: {cause!r}"
        self.clock.after(self.faults.restart(), partial(self._replace, name))

    def _replace(self, name: str) -> None:
        if sum(group == name for group, _ in self._parts.values()) < self._wanted[name]:
            self._start(name)

    def run(self, span: int) -> None:
        """Let this much time pass."""
        until = self.clock.now + span
        over = [False]
        self.clock.after(span, lambda: over.__setitem__(0, True))
        while not over[0] and self.clock.step():
            self._look()
        assert self.clock.now == until

    def tick(self, on: bool) -> None:  # noqa: FBT001
        """Let two clocks run, or none."""
        self._ticking = on
        self._keep_ticking()
        for process in list(self._tickers.values()) if not on else []:
            process.kill()

    def _keep_ticking(self) -> None:
        while self._ticking and len(self._tickers) < CLOCKS:
            self._started += 1
            process = Process(f"clock-{self._started}", self.clock, self.faults, self._clock_ended)
            self._tickers[process.name] = process
            Ticker(process, self.broker, self.faults, TOPOLOGY.ticking())

    def _clock_ended(self, process: Process, cause: Exception | None) -> None:
        del self._tickers[process.name]
        if cause is not None:
            self._broken = f"{process.name} ended: {cause!r}"
        self.clock.after(self.faults.restart(), self._keep_ticking)

    def settle(self) -> None:
        """Run until everything that was said is done. Raises Unsettled where that never is."""
        until = self.clock.now + PATIENCE
        while not self._quiet():
            if self.clock.now > until:
                raise Unsettled(f"not quiet after {PATIENCE // SECOND} s: {self._behind()}")
            self.run(100 * MILLISECOND)

    def close(self) -> None:
        """End all processes, and start none again."""
        self.tick(False)
        for name, part in list(self._parts.values()):
            self._wanted[name] = 0
            part.process.kill()

    def _look(self) -> None:
        if self._broken is not None:
            raise Unsettled(self._broken)

    def _quiet(self) -> bool:
        return not self.outside() and not self._behind() and all(part.quiet for _, part in self._parts.values())

    def _behind(self) -> dict[str, int]:
        """Return by group how much it has not done yet."""
        behind = {}
        for name, group in self.groups.items():
            done = self._stored(name)
            left = sum(len(self.broker.logs[group.topic, p]) - done.get(p, 0) for p in range(self.broker.partitions))
            if left:
                behind[name] = left
        return behind

    def _stored(self, name: str) -> dict[int, int]:
        if name in self.tables:
            return self.tables[name].positions
        return self.index.positions if "elasticsearch" in name else self.groups[name].committed


def decode_case(raw: Raw) -> object:
    """Decode as the index's sink does, which needs nothing of itself for that."""
    return ElasticsearchCases.decode(None, raw)  # type: ignore[arg-type]
