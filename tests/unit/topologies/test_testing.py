"""The driver does what a broker and its workers do, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.cases.case import Case
from streams.ids import aggregate_key
from streams.topics import CASE_EVENTS, CASE_INTAKE
from tests.world import World
from topologies.graph import TOPOLOGY, Topology
from topologies.testing import Crash, TopologyTestDriver


def test_a_record_to_a_topic_that_its_stage_does_not_declare_is_an_error() -> None:
    stages = tuple(replace(s, emits=()) if s.name == "intake" else s for s in TOPOLOGY.stages)
    world = World(TopologyTestDriver(Topology(sources=(), stages=stages, sinks=()))).register()
    with pytest.raises(AssertionError, match=r"intake sends to case\.commands"):
        world.create(world.project())


def test_nothing_is_folded_before_its_stage_has_its_turn() -> None:
    world = World().register()
    ops = world.project()
    world.trigger(ops, run=False)
    assert world.cases() == []
    assert world.driver.step("cases") is False
    assert world.driver.step("alerts") is True
    assert world.cases() == []
    world.driver.run()
    assert len(world.cases()) == 1


def test_what_was_drained_is_not_drained_again() -> None:
    world = World().register()
    ops = world.project()
    world.create(ops)
    assert [d.name for d in world.driver.drain(CASE_EVENTS)] == ["cases/case_opened"]
    assert world.driver.drain(CASE_EVENTS) == []
    world.create(ops)
    assert [d.name for d in world.driver.drain(CASE_EVENTS)] == ["cases/case_opened"]


@pytest.mark.parametrize(
    ("crash", "sent", "kept"), [(Crash(0), 0, False), (Crash(1), 1, False), (Crash(99, 1), 1, True)]
)
def test_a_crash_leaves_what_was_acked_before_it(crash: Crash, sent: int, kept: bool) -> None:  # noqa: FBT001 - a case
    world = World(TopologyTestDriver(partitions=1)).register()
    ops = world.project()
    world.create(ops)
    world.driver.drain("case.commands")
    world.driver.rewind("intake")
    before = len(world.driver.logs[CASE_INTAKE, 0])
    world.driver.run()
    assert len(world.driver.drain("case.commands")) == 0
    world.trigger(ops, run=False)
    world.driver.step("alerts")
    world.driver.crash("intake", crash)
    assert len(world.driver.drain("case.commands")) == sent
    assert world.driver.positions["intake", 0] == before
    row = f"{world.tenant_id}/OPS|alert/0123456789abcdef/cpu"
    assert (world.driver.state("intake", row) is not None) is kept
    world.driver.run()
    assert len(world.cases()) == 2
    world.check(repeated=True)


def test_a_row_is_found_by_its_key_wherever_it_is() -> None:
    world = World().register()
    ops = world.project()
    world.trigger(ops, "a|b")
    (case,) = world.cases()
    assert world.driver.state("cases", aggregate_key(world.tenant_id, case.case_id)) == case
    assert isinstance(world.driver.state("cases", aggregate_key(world.tenant_id, case.case_id)), Case)
    assert world.alert("a|b") is not None
    assert world.driver.state("cases", "nobody/nothing") is None
    assert world.driver.state("config", world.tenant_id) is None
