"""The table of stage `config` that is made again from topics is the one that was lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.config import commands as c
from streams.config.project import CredentialKind
from streams.config.rule import RuleKind
from streams.text import Sealed
from streams.topics import CONFIG_COMMANDS, CONFIG_EVENTS
from tests.world import World
from topologies.graph import TOPOLOGY
from topologies.guard import split
from topologies.refold import Refold
from topologies.refoldable import EFFECTS
from topologies.runner import StageFold
from topologies.step import Record
from topologies.testing import Crash, MemoryRows, TopologyTestDriver

PARTITIONS = 2
STAGE = TOPOLOGY.stage("config")


def said(driver: TopologyTestDriver, topic: str, partition: int) -> list[Record]:
    return [Record(n, r.key, r.value) for n, r in enumerate(driver.logs[topic, partition])]


def refolded(driver: TopologyTestDriver, partition: int, start: int = 0) -> MemoryRows:
    refold = Refold(
        STAGE, EFFECTS["config"](), start=start, committed=max(start, driver.positions["config", partition])
    )
    for record in said(driver, CONFIG_COMMANDS, partition)[start:]:
        refold.command(record)
    for record in said(driver, CONFIG_EVENTS, partition):
        refold.event(record, f"{partition}:{record.offset}")
    assert refold.faults == []
    made = MemoryRows()
    made.write(group for _, group in refold.rows())
    return made


class History:
    """Two tenants, whose projects and rules come and go."""

    def __init__(self, batch: int) -> None:
        self.driver = TopologyTestDriver(partitions=PARTITIONS, batch=batch)
        self.worlds = [World(self.driver, name=name) for name in ("acme", "globex")]

    def happen(self, what: tuple[Any, ...]) -> None:
        match what:
            case ("tell", who, kind, n, text):
                world = self.worlds[who]
                world.configure(self._command(kind, self._some(world, n), text), run=False)
            case ("again", p, n):
                log = self.driver.logs[CONFIG_COMMANDS, p]
                if log:
                    self.driver.append(log[-1 - n % len(log)])
            case ("crash", crash):
                self.driver.crash("config", crash)
            case ("rest",):
                self.driver.run()

    def _some(self, world: World, n: int) -> str:
        self.driver.step("config")
        events = self.driver.decoded(CONFIG_EVENTS)
        made = [d.envelope.aggregate_id for d in events if d.envelope.tenant_id == world.tenant_id and d.after]
        return made[n % len(made)] if made else world.tenant_id

    def _command(self, kind: str, some: str, text: str) -> Any:
        match kind:
            case "project":
                return c.CreateProject(key=text.upper(), name=Sealed.plain(text))
            case "rename":
                return c.UpdateProject(project_id=some, name=Sealed.plain(text))
            case "drop":
                return c.DeleteProject(project_id=some)
            case "rule":
                return c.CreateRule(project_id=some, name=text, kind=RuleKind.GROUP, group_by=("env",))
            case "rerule":
                return c.ReplaceRule(rule_id=some, name=text, group_by=("team",))
            case "unrule":
                return c.DeleteRule(rule_id=some)
            case "bind":
                return c.BindRoutingKey(project_id=some, digest=text * 32)
            case "unbind":
                return c.RevokeRoutingKey(routing_id=some)
            case "issue":
                kind_of = next(iter(CredentialKind))
                return c.IssueCredential(kind=kind_of, digest=text * 32, owner=text, name=Sealed.plain(text))
            case _:
                return c.RevokeCredential(credential_id=some)


KINDS = (
    "project",
    "project",
    "rename",
    "drop",
    "rule",
    "rule",
    "rerule",
    "unrule",
    "bind",
    "unbind",
    "issue",
    "revoke",
)
told = st.tuples(
    st.just("tell"), st.integers(0, 1), st.sampled_from(KINDS), st.integers(0, 9), st.sampled_from(["a", "b"])
)
gentle = st.one_of(told, told, told, st.tuples(st.just("again"), st.integers(0, 1), st.integers(0, 5)))
crashes = st.builds(Crash, sends=st.one_of(st.integers(0, 12), st.just(10_000)), rows=st.integers(0, 3))
rough = st.one_of(gentle, gentle, st.tuples(st.just("crash"), crashes), st.tuples(st.just("rest")))


@given(st.lists(rough, max_size=25), st.integers(1, 7))
def test_with_all_commands_there_the_rows_are_the_very_same(events: list[Any], batch: int) -> None:
    history = History(batch)
    for event in events:
        history.happen(event)
    history.driver.run()

    for p in range(PARTITIONS):
        assert refolded(history.driver, p).rows == history.driver.rows["config", p].rows


@given(st.lists(gentle, max_size=25), st.data())
def test_without_the_older_commands_it_has_every_state_and_repeats_nothing(
    events: list[Any], data: st.DataObject
) -> None:
    history = History(7)
    for event in events:
        history.happen(event)
    history.driver.run()

    for p in range(PARTITIONS):
        log = said(history.driver, CONFIG_COMMANDS, p)
        start = data.draw(st.integers(0, len(log)), label="start")
        true, made = history.driver.rows["config", p], refolded(history.driver, p, start)
        assert {name: split(row)[1] for name, row in made.rows.items()} == {
            name: split(row)[1] for name, row in true.rows.items()
        }
        suffix = log[data.draw(st.integers(start, len(log)), label="again from") :]
        fold = StageFold(STAGE, partitions=PARTITIONS)
        assert fold.fold(p, suffix, made).sends == fold.fold(p, suffix, true).sends
        assert fold.fold(p, suffix, made).broadcasts == []


@given(st.lists(rough, max_size=25), crashes)
def test_what_was_sent_and_not_committed_comes_to_the_same_once_more(events: list[Any], crash: Crash) -> None:
    history = History(7)
    for event in events:
        history.happen(event)
    history.driver.crash("config", crash)
    for p in range(PARTITIONS):
        history.driver.rows["config", p] = refolded(history.driver, p)
    history.driver.run()

    seen: dict[tuple[str, int], str] = {}
    for event in history.driver.decoded(CONFIG_EVENTS):
        if event.after is not None:
            at = (event.envelope.aggregate_id, event.after.version)
            assert seen.setdefault(at, event.envelope.id) == event.envelope.id
    for p in range(PARTITIONS):
        assert refolded(history.driver, p).rows == history.driver.rows["config", p].rows
