"""The table of stage `alerts` that is made again from topics is the one that was lost, with the rules that it was told."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from streams.cases.case import Status
from streams.cases.commands import Action, ChangeStatus
from streams.config.commands import CreateRule, DeleteRule
from streams.config.rule import Condition, Operator, RuleKind
from streams.ids import alert_id
from streams.topics import ALERT_COMMANDS, ALERT_EVENTS, CASE_INTAKE, CONFIG_EVENTS
from tests.world import BEGIN, ROUTING, SECOND, World
from topologies.alert_effects import ToldRules
from topologies.graph import TOPOLOGY
from topologies.guard import split
from topologies.refold import Refold
from topologies.refoldable import EFFECTS
from topologies.runner import StageFold
from topologies.step import Record
from topologies.testing import Crash, MemoryRows, TopologyTestDriver

PARTITIONS = 2
STAGE = TOPOLOGY.stage("alerts")


def said(driver: TopologyTestDriver, topic: str, partition: int) -> list[Record]:
    return [Record(n, r.key, r.value) for n, r in enumerate(driver.logs[topic, partition])]


def refolded(driver: TopologyTestDriver, partition: int, start: int = 0) -> MemoryRows:
    refold = Refold(
        STAGE, EFFECTS["alerts"](), start=start, committed=max(start, driver.positions["alerts", partition])
    )
    for record in said(driver, ALERT_COMMANDS, partition)[start:]:
        refold.command(record)
    for record in said(driver, ALERT_EVENTS, partition):
        refold.event(record, f"{partition}:{record.offset}")
    rules = ToldRules()
    for told in driver.records(CONFIG_EVENTS):
        rules.event((told.key or b"").decode(), codec.decode(told.value))
    for row, state in rules.before(refold.causes):
        refold.told(row, state)
    assert refold.faults == []
    made = MemoryRows()
    made.write(group for _, group in refold.rows())
    return made


class History:
    """Alerts that fire, end and are suppressed, while rules come and go and cases are closed."""

    def __init__(self, batch: int) -> None:
        self.driver = TopologyTestDriver(partitions=PARTITIONS, batch=batch)
        self.world = World(self.driver).register()
        self.ops = self.world.project("OPS")
        self.rules: list[str] = []

    def happen(self, what: tuple[Any, ...]) -> None:
        world = self.world
        match what:
            case ("signal", action, key, episode, twice):
                name = world.envelope(alert_id(ROUTING, key)).id
                starts_at = None if episode is None else BEGIN + episode * SECOND
                for _ in range(2 if twice else 1):
                    world.signal(action, self.ops, key, starts_at=starts_at, run=False, id=name, correlation_id=name)
            case ("rule", key):
                condition = Condition(field="dedup_key", operator=Operator.EQUALS, value=key)
                self.rules.append(world.rule(self.ops, RuleKind.SUPPRESS, condition))
            case ("told", key):
                # The stage is told of a rule, and has not come to it.
                condition = Condition(field="dedup_key", operator=Operator.EQUALS, value=key)
                rule = CreateRule(project_id=self.ops, name="r", kind=RuleKind.SUPPRESS, conditions=(condition,))
                world.configure(rule, run=False)
                self.driver.step("config")
            case ("unrule",):
                if self.rules:
                    world.configure(DeleteRule(rule_id=self.rules.pop()))
            case ("close",):
                for case in world.cases()[-1:]:
                    world.tell(case.case_id, ChangeStatus(status=Status.CLOSED))
            case ("crash", crash):
                self.driver.crash("alerts", crash)
            case ("rest",):
                self.driver.run()


KEYS = ("a", "b", "c")
signals = st.tuples(
    st.just("signal"),
    st.sampled_from([Action.TRIGGER, *Action]),
    st.sampled_from(KEYS),
    st.sampled_from([None, None, 1, 2]),
    st.booleans(),
)
gentle = st.one_of(
    signals,
    signals,
    signals,
    st.tuples(st.just("rule"), st.sampled_from(KEYS)),
    st.tuples(st.just("told"), st.sampled_from(KEYS)),
    st.tuples(st.just("unrule")),
    st.tuples(st.just("close")),
    st.tuples(st.just("rest")),
)
crashes = st.builds(Crash, sends=st.one_of(st.integers(0, 6), st.just(10_000)), rows=st.integers(0, 4))
rough = st.one_of(gentle, gentle, st.tuples(st.just("crash"), crashes))


@given(st.lists(rough, max_size=25), st.integers(1, 7))
def test_with_all_commands_there_the_rows_are_the_very_same(events: list[Any], batch: int) -> None:
    history = History(batch)
    for event in events:
        history.happen(event)
    history.driver.run()

    for p in range(PARTITIONS):
        assert refolded(history.driver, p).rows == history.driver.rows["alerts", p].rows


@given(st.lists(gentle, max_size=25), st.data())
def test_without_the_older_commands_it_has_every_state_and_repeats_nothing(
    events: list[Any], data: st.DataObject
) -> None:
    history = History(7)
    for event in events:
        history.happen(event)
    history.driver.run()

    for p in range(PARTITIONS):
        log = said(history.driver, ALERT_COMMANDS, p)
        start = data.draw(st.integers(0, len(log)), label="start")
        true, made = history.driver.rows["alerts", p], refolded(history.driver, p, start)
        assert {name: split(row)[1] for name, row in made.rows.items()} == {
            name: split(row)[1] for name, row in true.rows.items()
        }
        assert {name: split(row)[0].recent for name, row in made.rows.items()} == {
            name: split(row)[0].recent for name, row in true.rows.items()
        }
        suffix = log[data.draw(st.integers(start, len(log)), label="again from") :]
        fold = StageFold(STAGE, partitions=PARTITIONS)
        assert fold.fold(p, suffix, made).sends == fold.fold(p, suffix, true).sends


def outcome(events: list[Any], crash: Crash, *, lost: bool) -> tuple[History, set[tuple[str, str]]]:
    """Return what a history comes to whose stage died, with or without its table, and all that the stage ever said."""
    history = History(7)
    driver = history.driver
    for event in events:
        history.happen(event)
    driver.crash("alerts", crash)
    if lost:
        for p in range(PARTITIONS):
            driver.rows["alerts", p] = refolded(driver, p)
    driver.run()
    return history, {
        (decoded.envelope.id, repr(decoded.body))
        for topic in (ALERT_EVENTS, CASE_INTAKE)
        for decoded in driver.decoded(topic)
    }


@given(st.lists(rough, max_size=25), crashes)
def test_what_was_sent_and_not_committed_comes_to_the_same_once_more(events: list[Any], crash: Crash) -> None:
    history, told = outcome(events, crash, lost=True)

    assert told == outcome(events, crash, lost=False)[1]
    for p in range(PARTITIONS):
        assert refolded(history.driver, p).rows == history.driver.rows["alerts", p].rows


def test_rules_that_were_told_and_not_taken_do_not_count_yet() -> None:
    signal = ("signal", Action.TRIGGER, "a", None, False)
    crash = Crash(sends=10_000)

    for events in ([signal, ("told", "a"), signal], [("told", "a"), signal], [("rule", "a"), signal, ("told", "b")]):
        assert outcome(events, crash, lost=True)[1] == outcome(events, crash, lost=False)[1]
