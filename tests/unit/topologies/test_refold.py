"""Rows made again from topics: what is not as it should be is said, and old letters and repetitions mislead nobody."""

from __future__ import annotations

import pytest

from schemas import codec
from streams.cases.case import Case
from streams.cases.commands import ChangeTitle
from streams.ids import aggregate_key
from streams.parked import parked_key
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_EVENTS
from tests.world import World
from topologies.graph import TOPOLOGY
from topologies.guard import split
from topologies.refold import Buried, Refold
from topologies.refoldable import EFFECTS
from topologies.step import Record
from topologies.testing import TopologyTestDriver

STAGE = TOPOLOGY.stage("cases")


def refold(start: int, committed: int) -> Refold:
    return Refold(STAGE, EFFECTS["cases"](), start=start, committed=committed)


@pytest.fixture
def world() -> World:
    """One case with three more titles, in one partition."""
    world = World(TopologyTestDriver(partitions=1)).register()
    world.create(world.project("OPS"))
    for title in ("one", "two", "three"):
        world.tell(world.cases()[0].case_id, ChangeTitle(title=Sealed.plain(title)))
    return world


def said(world: World, topic: str) -> list[Record]:
    return [Record(n, r.key, r.value) for n, r in enumerate(world.driver.records(topic))]


def key(world: World) -> str:
    return aggregate_key(world.tenant_id, world.cases()[0].case_id)


def test_a_gap_in_the_events_is_a_fault(world: World) -> None:
    made = refold(0, 4)
    events = said(world, CASE_EVENTS)
    for event in (events[0], events[2]):
        made.event(event, f"case.events/0:{event.offset}")

    (fault,) = made.faults
    assert fault.startswith("case.events/0:2: ")
    assert fault.endswith("has version 3, expected 2")


def test_an_event_of_a_newer_writer_is_a_fault_and_what_nobody_can_read_is_passed_over(world: World) -> None:
    made = refold(0, 4)
    made.event(Record(0, b"t/a", b"\x00\x7f\xff\xff\xff..."), "here")
    made.event(Record(1, b"t/a", b"no record"), "there")
    made.event(Record(2, b"t/other", said(world, CASE_EVENTS)[0].value), "elsewhere")

    assert [fault.split(":")[0] for fault in made.faults] == ["here"]
    assert [line.split(":")[0] for line in made.unread] == ["there", "elsewhere"]
    assert list(made.rows()) == []


def test_a_command_that_was_folded_long_ago_and_said_again_is_not_taken_for_a_new_one(world: World) -> None:
    commands = said(world, CASE_COMMANDS)
    # All but the last are gone, and the second is said again where nothing is committed yet.
    made = refold(3, 4)
    made.command(commands[3])
    made.command(commands[1]._replace(offset=4))
    for event in said(world, CASE_EVENTS):
        made.event(event, "x")

    assert made.faults == []
    ((_, group),) = made.rows()
    guard, state = split(dict(group)[key(world).encode()] or b"")
    case = codec.decode_row(state)
    assert isinstance(case, Case)
    assert (case.version, case.title.text, guard.offset) == (4, "three", 3)


def test_a_letter_of_an_earlier_topic_that_says_the_same_offset_buries_nothing(world: World) -> None:
    commands = said(world, CASE_COMMANDS)
    made = refold(0, 4)
    made.buried(Buried(2, commands[2].key, commands[1].value, "RuntimeError: it stumbled", pending=False))
    for command in commands:
        made.command(command)
    for event in said(world, CASE_EVENTS):
        made.event(event, "x")

    ((_, group),) = made.rows()
    assert dict(group) == world.driver.rows["cases", 0].rows


@pytest.mark.parametrize("pending", [True, False])
def test_an_old_letter_parks_its_case_as_long_as_it_is_pending(world: World, *, pending: bool) -> None:
    commands = said(world, CASE_COMMANDS)
    made = refold(4, 4)
    made.buried(Buried(2, commands[2].key, commands[2].value, "RuntimeError: it stumbled", pending=pending))
    for event in said(world, CASE_EVENTS):
        made.event(event, "x")

    ((_, group),) = made.rows()
    assert (parked_key(key(world)).encode() in dict(group)) is pending
    assert group[-1][0] == key(world).encode()


def test_a_commit_below_the_start_of_the_log_is_refused() -> None:
    with pytest.raises(ValueError, match="before the log's start"):
        refold(5, 4)
