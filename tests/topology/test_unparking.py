"""An operator takes the mark off a parked case and says again, in order, what went to the dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from infra.cli.operate.again import again
from schemas import codec
from streams.cases.case import Priority
from streams.cases.commands import ChangePriority, ChangeTitle
from streams.cases.stage import CasesStage
from streams.envelope import Envelope
from streams.ids import aggregate_key
from streams.parked import Parked, UnparkCase, parked_key
from streams.stage import Handled, Rows
from streams.text import Sealed
from streams.topics import CASE_COMMANDS
from tests.world import World
from topologies.graph import TOPOLOGY, Topology
from topologies.step import Outgoing
from topologies.testing import Crash, TopologyTestDriver

DEAD = TOPOLOGY.stage("cases").dead_letters


class Mended(CasesStage):
    """Cannot fold what is called "stumble" until somebody mends it."""

    broken = True

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        if self.broken and getattr(body, "title", None) == Sealed.plain("stumble"):
            raise RuntimeError("it stumbled")
        return super().handle(key, envelope, body, rows)


@pytest.fixture(autouse=True)
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mended, "broken", True)


@pytest.fixture
def world() -> World:
    stages = tuple(replace(s, logic=Mended) if s.name == "cases" else s for s in TOPOLOGY.stages)
    driver = TopologyTestDriver(Topology(sources=TOPOLOGY.sources, stages=stages, sinks=TOPOLOGY.sinks))
    return World(driver).register()


@pytest.fixture
def parked(world: World) -> str:
    """The id of a case with two letters: one that stumbled, one that followed it."""
    world.create(world.project("OPS"))
    case_id = world.cases()[0].case_id
    world.tell(case_id, ChangeTitle(title=Sealed.plain("stumble")))
    world.tell(case_id, ChangePriority(priority=Priority.P1))
    return case_id


def mark(world: World, case_id: str) -> Any:
    return world.driver.state("cases", parked_key(aggregate_key(world.tenant_id, case_id)))


def redrive(world: World, letters: Iterable[Outgoing]) -> None:
    for letter in letters:
        assert letter.value is not None
        world.driver.append(Outgoing(CASE_COMMANDS, letter.partition, letter.key, again(CASE_COMMANDS, letter.value)))
    world.driver.run()


def test_a_case_without_its_mark_takes_commands_again(
    world: World, parked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mended, "broken", False)
    assert isinstance(mark(world, parked), Parked)

    assert world.outcome(world.tell(parked, UnparkCase())) == "unchanged"

    assert mark(world, parked) is None
    redrive(world, list(world.driver.records(DEAD)))
    assert world.story("OPS-1")[-2:] == ["CaseTitleChanged", "CasePriorityChanged"]
    world.check()


def test_a_command_that_stumbles_again_parks_its_case_again(world: World, parked: str) -> None:
    world.tell(parked, UnparkCase())
    redrive(world, list(world.driver.records(DEAD)))

    assert isinstance(mark(world, parked), Parked)
    assert len(list(world.driver.records(DEAD))) == 4


def test_letters_that_are_redriven_twice_change_a_case_once(
    world: World, parked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mended, "broken", False)
    world.tell(parked, UnparkCase())
    letters = list(world.driver.records(DEAD))
    redrive(world, letters)
    version = world.case("OPS-1").version
    redrive(world, letters)

    assert world.case("OPS-1").version == version
    world.check()


@pytest.mark.parametrize("crash", [Crash(sends=0), Crash(sends=1), Crash(sends=99), Crash(sends=99, rows=1)])
def test_a_kill_while_a_case_is_unparked_loses_and_doubles_nothing(
    world: World, parked: str, crash: Crash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mended, "broken", False)
    key = aggregate_key(world.tenant_id, parked)
    letters = list(world.driver.records(DEAD))
    envelope = world.envelope(parked, reply_by=world.now)
    world.asked.append(envelope.id)
    world.driver.put(CASE_COMMANDS, key, envelope, UnparkCase())
    world.driver.crash("cases", crash)
    redrive(world, letters)
    world.driver.rewind("cases")
    world.driver.run()

    assert mark(world, parked) is None
    assert world.case("OPS-1").title == Sealed.plain("stumble")
    assert world.case("OPS-1").priority is Priority.P1
    world.check(repeated=True)


def test_a_case_that_was_never_opened_can_be_unparked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = world.project("OPS")
    signal = world.trigger(ops, summary="stumble")
    assert world.receipt(signal) == "dead_lettered:fold_failed"
    monkeypatch.setattr(Mended, "broken", False)
    letters = list(world.driver.records(DEAD))
    case_id = codec.decode(letters[0].value).envelope.aggregate_id

    world.tell(case_id, UnparkCase())
    redrive(world, letters)

    assert [case.case_id for case in world.cases()] == [case_id]
    # The receipt was written once, and stays.
    assert world.receipt(signal) == "dead_lettered:fold_failed"


def test_there_is_nothing_to_guard_where_there_is_neither_case_nor_mark(world: World) -> None:
    nobody = "0190f5a2-0000-7000-8000-00000000000c"
    assert world.outcome(world.tell(nobody, UnparkCase())) == "unchanged"
    key = aggregate_key(world.tenant_id, nobody).encode()
    assert all(key not in rows.rows for rows in world.driver.rows.values())


def test_no_other_stage_takes_it(world: World) -> None:
    world.project("OPS")
    world.driver.pipe("case.intake", f"{world.tenant_id}/OPS", world.envelope("OPS"), UnparkCase())
    (letter,) = world.driver.records(TOPOLOGY.stage("intake").dead_letters)
    assert dict(letter.headers)["error"] == b"TypeError: stage intake does not take UnparkCase"
