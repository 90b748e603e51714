"""Cases that close when nothing happens to them, and start when somebody takes them: as their project asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.automation.settings import LONGEST_INACTIVE
from streams.automation.watch import PAGE
from streams.cases.case import Status
from streams.cases.commands import AddComment, ArchiveCase, AssignCase, ChangeStatus, ChangeTitle
from streams.cases.events import CaseStatusChanged
from streams.config.commands import UpdateProject
from streams.envelope import MAX_DEPTH
from streams.outcomes import CommandRejected
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_EVENTS
from tests.world import World
from topologies.testing import Crash

MINUTE = 60


def opened(world: World, project: str, title: str = "Help") -> str:
    """Open a case; return its id."""
    world.create(project, title)
    return world.cases()[-1].case_id


def by_itself(world: World) -> list[tuple[str, Status]]:
    """Return which case automation brought to which status, in the order of the log."""
    return [
        (d.after.key, d.body.status)
        for events in world.events().values()
        for d in events
        if isinstance(d.body, CaseStatusChanged) and d.envelope.actor == "system:automation"
    ]


def test_a_case_that_nothing_happens_to_is_closed_when_its_project_wants_it(world: World, ops: str) -> None:
    world.automate(ops, close_after=10 * MINUTE)
    opened(world, ops)
    world.wait(10 * MINUTE - 2)
    assert world.case("OPS-1").status is Status.OPEN
    world.wait(4)
    assert world.case("OPS-1").status is Status.CLOSED
    (last,) = [d for d in world.own(CASE_EVENTS) if isinstance(d.body, CaseStatusChanged)]
    assert last.envelope.actor == "system:automation"
    assert last.envelope.causation_id is not None
    assert last.envelope.depth > 0
    world.wait(30 * MINUTE)
    world.check()
    assert world.story("OPS-1") == ["CaseOpened", "CaseStatusChanged"]


@pytest.mark.parametrize("change", [ChangeTitle(title=Sealed.plain("Still")), AddComment(message=Sealed.plain("hm"))])
def test_whatever_happens_to_a_case_keeps_it_open_for_as_long_again(world: World, ops: str, change: Any) -> None:
    world.automate(ops, close_after=10 * MINUTE)
    case_id = opened(world, ops)
    world.wait(8 * MINUTE)
    world.tell(case_id, change)
    world.wait(8 * MINUTE)
    assert world.case("OPS-1").status is Status.OPEN
    world.wait(3 * MINUTE)
    assert world.case("OPS-1").status is Status.CLOSED


def test_a_project_that_asks_for_nothing_has_no_timers(world: World, ops: str) -> None:
    opened(world, ops)
    world.wait(MINUTE)
    assert by_itself(world) == []
    assert not [key for rows in world.driver.rows.values() for key in rows.rows if b"|timer/" in key]


def test_cases_that_were_there_before_their_project_asked_are_closed_too(world: World, ops: str) -> None:
    """More than stand on two pages of its list, whatever the partition."""
    count = 4 * (2 * PAGE + 20)
    for n in range(count):
        world.create(ops, f"Old {n}", run=n == count - 1)
    world.automate(ops, close_after=MINUTE)
    world.wait(20 * MINUTE)
    assert {case.status for case in world.cases()} == {Status.CLOSED}
    assert len(by_itself(world)) == count


def test_another_time_counts_for_what_is_open_and_none_lets_it_stay_open(world: World, ops: str) -> None:
    world.automate(ops, close_after=1000 * MINUTE)
    opened(world, ops)
    world.automate(ops, close_after=5 * MINUTE)
    world.wait(6 * MINUTE)
    assert world.case("OPS-1").status is Status.CLOSED
    opened(world, ops)
    world.automate(ops)
    world.wait(6 * MINUTE)
    assert world.case("OPS-2").status is Status.OPEN
    opened(world, ops)
    world.automate(ops, close_after=20 * MINUTE)
    world.wait(9 * MINUTE)
    assert world.case("OPS-3").status is Status.OPEN


@pytest.mark.parametrize("ending", [ArchiveCase(), ChangeStatus(status=Status.CLOSED)])
def test_a_case_that_ended_is_let_alone_and_one_that_is_opened_again_is_not(
    world: World, ops: str, ending: Any
) -> None:
    world.automate(ops, close_after=5 * MINUTE)
    case_id = opened(world, ops)
    world.tell(case_id, ending)
    world.wait(10 * MINUTE)
    assert by_itself(world) == []
    if isinstance(ending, ChangeStatus):
        world.tell(case_id, ChangeStatus(status=Status.IN_PROGRESS))
        world.wait(6 * MINUTE)
        assert by_itself(world) == [("OPS-1", Status.CLOSED)]


def test_a_deleted_project_closes_nothing_and_the_next_of_its_key_not_the_cases_of_the_first(world: World) -> None:
    first = world.project()
    world.automate(first, close_after=MINUTE)
    opened(world, first)
    world.delete_project(first)
    world.automate(world.project(), close_after=MINUTE)
    world.wait(5 * MINUTE)
    assert by_itself(world) == []


def test_an_open_case_that_somebody_takes_is_in_progress(world: World, ops: str) -> None:
    world.automate(ops, start=True)
    mine, theirs, off = (opened(world, ops, title) for title in ("mine", "theirs", "off"))
    world.tell(mine, AssignCase(assignee_id="ada"))
    world.tell(theirs, AssignCase(assignee_id="bob"))
    world.automate(ops, start=False)
    world.tell(off, AssignCase(assignee_id="ada"))
    assert [case.status for case in world.cases()] == [Status.IN_PROGRESS, Status.OPEN, Status.OPEN]
    assert by_itself(world) == [("OPS-1", Status.IN_PROGRESS)]
    (told,) = [d for d in world.own(CASE_COMMANDS) if d.name == "cases/transition_case"]
    assigned = next(d for d in world.own(CASE_EVENTS) if d.name == "cases/case_assigned")
    assert told.envelope.causation_id == assigned.envelope.id
    assert told.envelope.correlation_id == assigned.envelope.correlation_id
    assert told.envelope.grant is None
    world.check()


def test_what_was_closed_on_the_way_is_not_opened_by_who_took_it(world: World, ops: str) -> None:
    world.automate(ops, start=True)
    case_id = opened(world, ops)
    world.driver.put(
        CASE_COMMANDS, f"{world.tenant_id}/{case_id}", world.envelope(case_id), AssignCase(assignee_id="ada")
    )
    world.driver.step("cases")
    world.close(case_id)
    assert world.case("OPS-1").status is Status.CLOSED


def test_a_case_that_somebody_touches_as_it_is_being_closed_stays_open(world: World, ops: str) -> None:
    world.automate(ops, close_after=MINUTE)
    case_id = opened(world, ops)
    body = ChangeTitle(title=Sealed.plain("Wait"))
    world.driver.put(CASE_COMMANDS, f"{world.tenant_id}/{case_id}", world.envelope(case_id), body)
    world.driver.put_tick(world.driver.now + 10 * MINUTE * 1_000)
    # The clock comes first, then what people said.
    world.driver.step("automation")
    world.driver.run()
    assert world.story("OPS-1") == ["CaseOpened", "CaseTitleChanged"]


def test_a_chain_of_reactions_that_is_too_long_ends_here_with_its_name(world: World, ops: str) -> None:
    world.automate(ops, start=True)
    case_id = opened(world, ops)
    deep = world.tell(case_id, AssignCase(assignee_id="ada"), depth=MAX_DEPTH)
    assert world.case("OPS-1").status is Status.OPEN
    (refused,) = [d for d in world.own(CASE_EVENTS) if isinstance(d.body, CommandRejected)]
    assert refused.body.code == "command.chain_too_deep"
    assert deep in refused.body.detail


@pytest.mark.parametrize("sends", [0, 1, 3, 1_000])
@pytest.mark.parametrize("rows", [0, 1, 4])
def test_a_worker_that_dies_at_a_tick_closes_each_case_once(world: World, ops: str, sends: int, rows: int) -> None:
    world.automate(ops, close_after=MINUTE)
    for n in range(12):
        opened(world, ops, f"Case {n}")
    world.driver.put_tick(world.driver.now + 10 * MINUTE * 1_000)
    world.driver.crash("automation", Crash(sends=sends, rows=rows))
    world.driver.run()
    world.driver.rewind("automation")
    world.driver.run()
    assert len(by_itself(world)) == 12
    assert {case.version for case in world.cases()} == {2}
    world.check(repeated=True)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ("[]", "settings"),
        ("no json", "settings"),
        (
            '{"auto_close_inactive_cases": {"enabled": true}}',
            "settings.auto_close_inactive_cases.max_inactive_time_in_secs",
        ),
        *(
            (
                json.dumps({"auto_close_inactive_cases": {"max_inactive_time_in_secs": wrong}}),
                "settings.auto_close_inactive_cases.max_inactive_time_in_secs",
            )
            for wrong in (0, -1, LONGEST_INACTIVE + 1, "60", True)
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_field_that_is_wrong(
    world: World, ops: str, settings: str, field: str
) -> None:
    command = world.configure(UpdateProject(project_id=ops, settings=settings))
    assert world.outcome(command) == "project.settings_invalid"
    (refused,) = [d.body for d in world.own("config.events") if isinstance(d.body, CommandRejected)]
    assert refused.field == field


def test_settings_that_are_of_no_concern_to_automation_are_kept(world: World, ops: str) -> None:
    command = world.configure(
        UpdateProject(project_id=ops, settings='{"auto_close_inactive_cases": {"enabled": false}, "notification": {}}')
    )
    assert world.outcome(command) == "accepted"
