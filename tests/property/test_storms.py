"""Alert storms: whatever tools, people and crashes do, every signal ends in one receipt and no trigger is lost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.cases.case import AlertStatus, Case, Status
from streams.cases.commands import Action, ArchiveCase, ChangeStatus, UnarchiveCase
from streams.config.commands import DeleteRule
from streams.config.rule import Condition, Operator, RuleKind
from streams.ids import aggregate_key, alert_id
from streams.intake.project_intake import Attachment
from streams.outcomes import Receipt
from streams.topics import ALERT_COMMANDS, CASE_COMMANDS
from tests.world import BEGIN, ROUTING, SECOND, World
from topologies.testing import Crash, TopologyTestDriver

STAGES = ("config", "alerts", "intake", "cases")
KEYS = ("a", "b", "c")


@dataclass(frozen=True)
class Signal:
    """A tool says something. twice: the edge appends it again, not knowing whether the first time counted."""

    action: Action
    key: str
    service: str
    episode: int | None
    twice: bool


@dataclass(frozen=True)
class People:
    """Somebody changes the n-th case that there is by now."""

    n: int
    body: Any


@dataclass(frozen=True)
class Turn:
    """A stage folds one batch, or dies on the way."""

    stage: str
    crash: Crash | None


@dataclass(frozen=True)
class Again:
    """A stage reads its log again from an offset, with the rows that it has."""

    stage: str
    offset: int


@dataclass(frozen=True)
class Rest:
    """Everything is folded to the end."""


signals = st.builds(
    Signal,
    action=st.sampled_from([Action.TRIGGER, Action.TRIGGER, Action.ACKNOWLEDGE, Action.RESOLVE]),
    key=st.sampled_from(KEYS),
    service=st.sampled_from(["shop", "mail"]),
    episode=st.sampled_from([None, None, None, 1, 2, 3]),
    twice=st.sampled_from([False, False, False, True]),
)
people = st.builds(
    People,
    n=st.integers(0, 3),
    body=st.sampled_from([ChangeStatus(status=s) for s in (Status.CLOSED, *Status)] + [ArchiveCase(), UnarchiveCase()]),
)
crashes = st.builds(Crash, sends=st.one_of(st.integers(0, 6), st.just(10_000)), rows=st.integers(0, 4))
turns = st.builds(Turn, stage=st.sampled_from(STAGES), crash=st.one_of(st.none(), st.none(), crashes))
again = st.builds(Again, stage=st.sampled_from(STAGES), offset=st.integers(0, 10))
smooth = st.one_of(signals, st.builds(Rest))
rough = st.one_of(signals, signals, signals, people, turns, turns, again, st.builds(Rest))


class Storm:
    """A world with or without rules, in which things happen one after the other."""

    def __init__(self, *, batch: int = 500, group: bool = False, suppress: bool = False) -> None:
        self.world = World(TopologyTestDriver(partitions=3, batch=batch)).register()
        self.ops = self.world.project("OPS")
        self.suppression: str | None = None
        if group:
            self.world.rule(self.ops, RuleKind.GROUP, group_by=("service",))
        if suppress:
            noise = Condition(field="dedup_key", operator=Operator.EQUALS, value="c")
            self.suppression = self.world.rule(self.ops, RuleKind.SUPPRESS, noise)

    def happen(self, event: Any) -> None:
        world, driver = self.world, self.world.driver
        match event:
            case Signal():
                said = world.envelope(alert_id(ROUTING, event.key)).id
                for _ in range(2 if event.twice else 1):
                    world.signal(
                        event.action,
                        self.ops,
                        event.key,
                        labels={"service": event.service},
                        starts_at=None if event.episode is None else BEGIN + event.episode * SECOND,
                        run=False,
                        id=said,
                        correlation_id=said,
                    )
            case People(n=n, body=body):
                cases = world.cases()
                if n < len(cases):
                    case_id = cases[n].case_id
                    key = aggregate_key(world.tenant_id, case_id)
                    driver.put(CASE_COMMANDS, key, world.envelope(case_id), body)
            case Turn(stage=stage, crash=Crash() as crash):
                driver.crash(stage, crash)
            case Turn(stage=stage):
                driver.step(stage)
            case Again(stage=stage, offset=offset):
                driver.rewind(stage, offset)
            case Rest():
                driver.run()

    def end(self) -> None:
        self.world.driver.run()


def attached(world: World, key: str) -> Case | None:
    """Return the case that an alert belongs to, as intake knows it."""
    row = f"{world.tenant_id}/OPS|alert/{alert_id(ROUTING, key)}"
    attachment: Attachment | None = world.driver.state("intake", row)
    return None if attachment is None else next(c for c in world.cases() if c.case_id == attachment.case_id)


def reopened(world: World) -> set[str]:
    """Return the cases that people took over: what had ended, and was opened again by hand, is theirs."""
    return {
        case_id
        for case_id, events in world.events().items()
        if any(d.envelope.depth == 0 and before.after.ended and not d.after.ended for before, d in pairwise(events))
    }


def check_quiet(world: World) -> None:
    """What must hold once nothing is on its way: an open alert has an open case that knows it, and no other has one."""
    for key in KEYS:
        alert = world.alert(key)
        if alert is not None and alert.open:
            case = attached(world, key)
            assert case is not None
            seen = case.alert(alert.alert_id)
            assert seen is not None
            assert seen.seq >= alert.trigger_seq or case.case_id in reopened(world)
            assert not case.ended
            assert alert.status is AlertStatus.TRIGGERED or seen.status is AlertStatus.ACKNOWLEDGED
    theirs = reopened(world)
    for case in world.cases():
        if case.ended or case.case_id in theirs:
            continue
        for seen in case.alerts:
            if seen.status is not AlertStatus.RESOLVED:
                key = seen.alert_id.rpartition("/")[2]
                alert, there = world.alert(key), attached(world, key)
                assert alert is not None
                assert alert.open
                assert there is not None
                assert there.case_id == case.case_id
    for written in world.receipts().values():
        first = written[0]
        if first.receipt in {Receipt.FOLDED, Receipt.DEDUPLICATED} and first.case_id is not None:
            assert any(case.case_id == first.case_id for case in world.cases())


storms = st.builds(Storm, batch=st.integers(1, 5), group=st.booleans(), suppress=st.booleans())


@settings(max_examples=200)
@given(storm=storms, events=st.lists(rough, max_size=40))
def test_every_signal_ends_in_one_receipt_and_no_trigger_is_lost(storm: Storm, events: list[Any]) -> None:
    for event in events:
        storm.happen(event)
    storm.end()
    storm.world.check(repeated=True)
    check_quiet(storm.world)
    assert storm.world.driver.causes == []
    triggers = {
        d.envelope.id
        for d in storm.world.driver.decoded(ALERT_COMMANDS)
        if getattr(d.body, "action", None) is Action.TRIGGER
    }
    ends = {storm.world.receipt(signal) for signal in triggers}
    suppressed = f"suppressed:rule:{storm.suppression}"
    assert ends <= {"folded", "deduplicated", "deduplicated:stale_episode", suppressed}


@settings(max_examples=100)
@given(events=st.lists(st.tuples(smooth, st.lists(st.one_of(turns, again), max_size=3)), max_size=30))
def test_crashes_and_redelivery_change_nothing(events: list[tuple[Any, list[Any]]]) -> None:
    calm, wild = Storm(), Storm(batch=3)
    for event, roughness in events:
        calm.happen(event)
        wild.happen(event)
        for rough_event in roughness:
            wild.happen(rough_event)
    for storm in (calm, wild):
        storm.end()
        storm.world.check(repeated=True)
        check_quiet(storm.world)
    receipts = [{s: storm.world.receipt(s) for s in storm.world.signals} for storm in (calm, wild)]
    assert receipts[0] == receipts[1]
    for key in KEYS:
        assert calm.world.alert(key) == wild.world.alert(key)
    # Numbers go by arrival, which differs between keys; all else is the same.
    ends = [sorted(repr((c.alerts, c.status)) for c in storm.world.cases()) for storm in (calm, wild)]
    assert ends[0] == ends[1]


@settings(max_examples=100)
@given(events=st.lists(st.tuples(st.sampled_from(list(Action)), st.sampled_from(KEYS)), max_size=25))
def test_receipts_and_cases_are_those_of_a_model(events: list[tuple[Action, str]]) -> None:
    """The model: an alert is open or not, acknowledged or not, and each opening is a case."""
    storm = Storm()
    status: dict[str, AlertStatus] = {}
    cases: list[AlertStatus] = []
    belongs: dict[str, int] = {}
    for action, key in events:
        before = status.get(key, AlertStatus.RESOLVED)
        match action:
            case Action.TRIGGER if before is AlertStatus.RESOLVED:
                expected, status[key], belongs[key] = "folded", AlertStatus.TRIGGERED, len(cases)
                cases.append(AlertStatus.TRIGGERED)
            case Action.TRIGGER:
                expected = "deduplicated"
            case _ if before is AlertStatus.RESOLVED:
                expected = "dropped:no_open_alert"
            case Action.ACKNOWLEDGE if before is AlertStatus.ACKNOWLEDGED:
                expected = "deduplicated:already_acknowledged"
            case Action.ACKNOWLEDGE:
                expected, status[key] = "folded", AlertStatus.ACKNOWLEDGED
            case Action.RESOLVE:
                expected, status[key] = "folded", AlertStatus.RESOLVED
        if key in belongs:
            cases[belongs[key]] = status[key]
        assert storm.world.receipt(storm.world.signal(action, storm.ops, key)) == expected
    shown = {
        AlertStatus.TRIGGERED: Status.OPEN,
        AlertStatus.ACKNOWLEDGED: Status.IN_PROGRESS,
        AlertStatus.RESOLVED: Status.CLOSED,
    }
    assert [case.status for case in storm.world.cases()] == [shown[s] for s in cases]
    storm.world.check()


@settings(max_examples=30)
@given(events=st.lists(smooth, max_size=15))
def test_a_rule_that_goes_leaves_nothing_behind(events: list[Any]) -> None:
    storm = Storm(group=True, suppress=True)
    for event in events:
        storm.happen(event)
    storm.end()
    assert storm.suppression is not None
    storm.world.configure(DeleteRule(rule_id=storm.suppression))
    storm.world.now += 10 * SECOND
    assert storm.world.receipt(storm.world.trigger(storm.ops, "c")) in {"folded", "deduplicated"}
    storm.world.check(repeated=True)
    check_quiet(storm.world)
