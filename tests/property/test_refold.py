"""A table that is made again from topics decides as the one that was lost: whatever happened, whenever it is read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cli.operate.again import again
from schemas import codec
from streams.cases.case import Status
from streams.cases.commands import (
    Action,
    AddComment,
    ApplySignal,
    ArchiveCase,
    ChangeStatus,
    ChangeTitle,
    DeleteComment,
    EditComment,
    UnarchiveCase,
)
from streams.cases.events import CommentAdded
from streams.cases.stage import CasesStage
from streams.envelope import Envelope
from streams.ids import aggregate_key
from streams.parked import UnparkCase
from streams.stage import Handled, Rows
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_EVENTS
from tests.world import World
from topologies.graph import TOPOLOGY, Topology
from topologies.guard import split
from topologies.refold import Buried, Refold
from topologies.refoldable import EFFECTS
from topologies.runner import StageFold
from topologies.step import Outgoing, Record
from topologies.testing import Crash, MemoryRows, TopologyTestDriver

PARTITIONS = 2
STUMBLE = Sealed.plain("stumble")


class Stumbling(CasesStage):
    """Cannot fold what is called "stumble"."""

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        if getattr(body, "title", None) == STUMBLE:
            raise RuntimeError("it stumbled")
        return super().handle(key, envelope, body, rows)


STAGES = tuple(replace(s, logic=Stumbling) if s.name == "cases" else s for s in TOPOLOGY.stages)
CASES = next(s for s in STAGES if s.name == "cases")


def said(driver: TopologyTestDriver, topic: str, partition: int) -> list[Record]:
    return [Record(n, r.key, r.value) for n, r in enumerate(driver.logs[topic, partition])]


def letters(driver: TopologyTestDriver, partition: int, settled: set[bytes]) -> list[Buried]:
    found = []
    for letter in driver.logs[CASES.dead_letters, partition]:
        named = dict(letter.headers)
        pending = (letter.key or b"") not in settled
        found.append(Buried(int(named["offset"]), letter.key, letter.value, named["error"].decode(), pending))
    return found


def refolded(
    driver: TopologyTestDriver, partition: int, *, start: int = 0, settled: set[bytes] | None = None
) -> MemoryRows:
    """Return the rows of stage `cases` as they are made of topics alone, of whose commands those before `start` are gone."""
    refold = Refold(CASES, EFFECTS["cases"](), start=start, committed=max(start, driver.positions["cases", partition]))
    for letter in letters(driver, partition, settled or set()):
        refold.buried(letter)
    for record in said(driver, CASE_COMMANDS, partition)[start:]:
        refold.command(record)
    for record in said(driver, CASE_EVENTS, partition):
        refold.event(record, f"{partition}:{record.offset}")
    assert refold.faults == []
    assert refold.unread == []
    made = MemoryRows()
    made.write(group for _, group in refold.rows())
    return made


class History:
    """A tenant with a project in which cases are opened, changed, parked and redriven, by people and by alerts."""

    def __init__(self, batch: int = 500) -> None:
        topology = Topology(sources=TOPOLOGY.sources, stages=STAGES, sinks=TOPOLOGY.sinks)
        self.driver = TopologyTestDriver(topology, partitions=PARTITIONS, batch=batch)
        self.world = World(self.driver).register()
        self.ops = self.world.project("OPS")
        self.settled: set[bytes] = set()
        self.repeat: Outgoing | None = None

    def happen(self, what: tuple[Any, ...]) -> None:
        world, driver = self.world, self.driver
        match what:
            case ("open",):
                world.create(self.ops)
            case ("signal", action, key):
                world.signal(action, self.ops, key, run=False)
            case ("tell", n, body):
                self._tell(n, body)
            case ("again", n, made):
                self._again(n, made=made)
            case ("lost",):
                self._lost()
            case ("remark", n, kind):
                self._remark(n, kind)
            case ("garbage", n):
                cases = world.cases()
                if cases:
                    key = aggregate_key(world.tenant_id, cases[n % len(cases)].case_id)
                    driver.append(Outgoing(CASE_COMMANDS, None, key.encode(), b"no record"))
            case ("redrive",):
                self._redrive()
            case ("crash", stage, crash):
                driver.crash(stage, crash)
            case ("turn", stage):
                driver.step(stage)
            case ("rest",):
                driver.run()

    def _tell(self, n: int, body: Any) -> None:
        cases = self.world.cases()
        if cases:
            case_id = cases[n % len(cases)].case_id
            envelope = self.world.envelope(case_id, reply_by=1)
            self.driver.put(CASE_COMMANDS, aggregate_key(self.world.tenant_id, case_id), envelope, body)
        else:
            nobody = self.world.envelope("00000000-0000-0000-0000-0000000000aa")
            self.driver.put(CASE_COMMANDS, aggregate_key(self.world.tenant_id, nobody.aggregate_id), nobody, body)

    def _remark(self, n: int, kind: type[Any]) -> None:
        added = [d for d in self.driver.decoded(CASE_EVENTS) if isinstance(d.body, CommentAdded)]
        if added:
            event = added[n % len(added)]
            case_id, comment_id = event.envelope.aggregate_id, event.body.comment_id
            body = kind(comment_id=comment_id, **({"message": Sealed.plain("x")} if kind is EditComment else {}))
            key = aggregate_key(self.world.tenant_id, case_id)
            self.driver.put(CASE_COMMANDS, key, self.world.envelope(case_id), body)

    def _redrive(self) -> None:
        """Take every mark off, and say again what can be folded by now."""
        self.driver.run()
        for p in range(PARTITIONS):
            begun: set[bytes] = set()
            for letter in list(self.driver.logs[CASES.dead_letters, p]):
                key = letter.key or b""
                try:
                    read = codec.decode(letter.value)
                except codec.Undecodable:
                    continue
                if key in self.settled:
                    continue
                if key not in begun:
                    begun.add(key)
                    unpark = self.world.envelope(read.envelope.aggregate_id)
                    self.driver.put(CASE_COMMANDS, key.decode(), unpark, UnparkCase())
                if getattr(read.body, "title", None) != STUMBLE:
                    value = again(CASE_COMMANDS, letter.value)
                    self.driver.append(Outgoing(CASE_COMMANDS, p, letter.key, value))
            self.settled |= begun
        self.driver.run()

    def _again(self, n: int, *, made: bool) -> None:
        """Append a command a second time. made: also one that a stage made."""
        for p in range(PARTITIONS):
            log = self.driver.logs[CASE_COMMANDS, p]
            if not log:
                continue
            record = log[-1 - n % len(log)]
            with suppress(codec.Undecodable):
                if made or codec.decode(record.value).envelope.depth == 0:
                    self.driver.append(record)

    def _lost(self) -> None:
        """A signal for a case that nobody opened."""
        case_id = "00000000-0000-0000-0000-0000000000bb"
        body = ApplySignal(
            action=Action.TRIGGER,
            alert_id="h/a",
            seq=1,
            signal_id="00000000-0000-0000-0000-0000000000cc",
            title=Sealed.plain("lost"),
            project_key="OPS",
        )
        self.driver.put(CASE_COMMANDS, aggregate_key(self.world.tenant_id, case_id), self.world.envelope(case_id), body)


words = st.sampled_from(["a", "b", "c"]).map(Sealed.plain)
bodies = st.one_of(
    st.builds(ChangeTitle, title=words),
    st.builds(ChangeTitle, title=words),
    st.builds(ChangeTitle, title=st.just(STUMBLE)),
    st.builds(AddComment, message=words),
    st.builds(ChangeStatus, status=st.sampled_from(list(Status))),
    st.just(ArchiveCase()),
    st.just(UnarchiveCase()),
)
places = st.integers(0, 5)
gentle = st.one_of(
    st.tuples(st.just("open")),
    st.tuples(st.just("signal"), st.sampled_from(list(Action)), st.sampled_from(["a", "b"])),
    st.tuples(st.just("tell"), places, bodies),
    st.tuples(st.just("tell"), places, bodies),
    st.tuples(st.just("remark"), places, st.sampled_from([EditComment, DeleteComment])),
    st.tuples(st.just("garbage"), places),
    st.tuples(st.just("again"), places, st.just(False)),
    st.tuples(st.just("rest")),
)
crashes = st.builds(Crash, sends=st.one_of(st.integers(0, 6), st.just(10_000)), rows=st.integers(0, 4))
rough = st.one_of(
    gentle,
    gentle,
    st.tuples(st.just("lost")),
    st.tuples(st.just("again"), places, st.just(True)),
    st.tuples(st.just("turn"), st.sampled_from(["intake", "cases"])),
    st.tuples(st.just("crash"), st.sampled_from(["intake", "cases"]), crashes),
)


def sends(rows: MemoryRows, partition: int, records: list[Record]) -> Any:
    """Return what stage `cases` makes of these records on these rows, and the rows afterwards."""
    step = StageFold(CASES, partitions=PARTITIONS).fold(partition, records, rows)
    after = MemoryRows()
    after.rows = dict(rows.rows)
    after.write(step.rows)
    return step.sends, after.rows


@settings(deadline=None)
@given(st.lists(rough, max_size=30), st.integers(1, 7))
def test_with_all_commands_there_the_rows_are_the_very_same(events: list[Any], batch: int) -> None:
    history = History(batch)
    for event in events:
        history.happen(event)
    history.driver.run()

    for p in range(PARTITIONS):
        assert refolded(history.driver, p).rows == history.driver.rows["cases", p].rows


@settings(deadline=None)
@given(st.lists(gentle, max_size=30), st.data())
def test_without_the_older_commands_it_has_every_state_and_repeats_nothing(
    events: list[Any], data: st.DataObject
) -> None:
    history = History()
    for event in events:
        history.happen(event)
    history.driver.run()

    for p in range(PARTITIONS):
        log = said(history.driver, CASE_COMMANDS, p)
        start = data.draw(st.integers(0, len(log)), label="start")
        true = history.driver.rows["cases", p].rows
        made = refolded(history.driver, p, start=start)
        for name, row in true.items():
            guard, state = split(row)
            if name in made.rows:
                again_guard, again_state = split(made.rows[name])
                assert again_state == state
                # Said twice, and the first time is gone: it counts as of the second, which was passed over.
                assert guard.offset <= max(again_guard.offset, start - 1) < max(len(log), start)
                assert set(again_guard.recent) == set(guard.recent)
            else:
                assert not state
                assert guard.offset < start
        assert made.rows.keys() <= true.keys()
        suffix = log[data.draw(st.integers(start, len(log)), label="again from") :]
        truly, _ = sends(history.driver.rows["cases", p], p, suffix)
        assert sends(made, p, suffix)[0] == truly


@settings(deadline=None)
@given(st.lists(rough, max_size=30), st.lists(gentle, max_size=5), crashes)
def test_what_was_sent_and_not_committed_comes_to_the_same_once_more(
    events: list[Any], later: list[Any], crash: Crash
) -> None:
    """The stage died behind its sends and its table is lost: it goes on as if it had died before them."""
    history = History()
    for event in events:
        history.happen(event)
    history.driver.run()
    for event in later:
        if event[0] not in ("rest", "open"):
            history.happen(event)
    history.driver.crash("cases", crash)
    made = [refolded(history.driver, p) for p in range(PARTITIONS)]
    for p in range(PARTITIONS):
        history.driver.rows["cases", p] = made[p]
    history.driver.run()

    versions: dict[tuple[str, int], str] = {}
    for event in history.driver.decoded(CASE_EVENTS):
        if event.after is not None and event.envelope.version is not None:
            at = (event.envelope.aggregate_id, event.envelope.version)
            assert versions.setdefault(at, event.envelope.id) == event.envelope.id
    for p in range(PARTITIONS):
        assert refolded(history.driver, p).rows == history.driver.rows["cases", p].rows


@pytest.mark.parametrize("start", [0, 1, 3])
def test_a_parked_case_stays_parked_until_it_is_redriven(start: int) -> None:
    history = History()
    history.happen(("open",))
    history.happen(("tell", 0, ChangeTitle(title=Sealed.plain("one"))))
    history.happen(("tell", 0, ChangeTitle(title=STUMBLE)))
    history.happen(("tell", 0, ChangeTitle(title=Sealed.plain("two"))))
    history.driver.run()
    marks = [
        name
        for p in range(PARTITIONS)
        for name in refolded(history.driver, p, start=start).rows
        if name.endswith(b"|parked")
    ]
    assert len(marks) == 1

    history.happen(("redrive",))
    history.driver.run()
    for p in range(PARTITIONS):
        made = refolded(history.driver, p, settled=history.settled)
        assert made.rows == history.driver.rows["cases", p].rows
