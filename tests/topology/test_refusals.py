"""What is refused leaves its refusal and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from streams.cases.case import Priority, Status
from streams.cases.commands import (
    Action,
    AddComment,
    ApplySignal,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
    DeleteComment,
    EditComment,
)
from streams.config.commands import CreateRule, UpdateProject
from streams.config.rule import RULES_LIMIT, Condition, Operator, RuleKind
from streams.envelope import MAX_DEPTH
from streams.ids import aggregate_key
from streams.text import Sealed
from streams.topics import CASE_COMMANDS
from tests.world import World
from topologies import runner

NOWHERE = "00000000-0000-0000-0000-00000000dead"
LONG = Sealed.plain("x" * 30_001)


def sizes(world: World) -> Counter[str]:
    found: Counter[str] = Counter()
    for (topic, _), log in world.driver.logs.items():
        found[topic] += len(log)
    return found


REFUSED: list[tuple[str, Any]] = [
    ("case.title_missing", ChangeTitle(title=Sealed.plain(" "))),
    ("case.title_too_long", ChangeTitle(title=Sealed.plain("x" * 161))),
    ("case.description_too_long", ChangeDescription(description=LONG)),
    ("case.comment_missing", AddComment(message=Sealed.plain(""))),
    ("case.comment_too_long", AddComment(message=LONG)),
    ("comment.not_found", EditComment(comment_id=NOWHERE, message=Sealed.plain("x"))),
    ("comment.not_found", DeleteComment(comment_id=NOWHERE)),
    ("case.too_many_tags", ChangeAttributes(attributes={"a": ("x",) * 201})),
    ("case.tag_too_long", ChangeAttributes(attributes={"a": ("x" * 201,)})),
    ("case.tag_too_long", ChangeAttributes(attributes={"a" * 201: ("x",)})),
    ("case.due_date_invalid", ChangeDueDate(due_date="2030-02-30")),
    ("case.due_date_invalid", ChangeDueDate(due_date="20300201")),
    ("case.not_closed", ChangeResolvedReason(reason=Sealed.plain("done"))),
]


@pytest.mark.parametrize(("code", "command"), REFUSED, ids=[f"{type(c).__name__}-{code}" for code, c in REFUSED])
def test_a_rejected_command_leaves_its_rejection_and_nothing_else(
    world: World, ops: str, code: str, command: Any
) -> None:
    world.create(ops)
    case = world.case("OPS-1")
    before = sizes(world)
    told = world.tell(case.case_id, command)
    assert world.outcome(told) == code
    assert world.case("OPS-1") == case
    assert sizes(world) - before == {"case.commands": 1, "case.events": 1}
    world.check()


def test_a_command_to_an_unknown_case_is_rejected_and_leaves_no_row(world: World) -> None:
    told = world.tell(NOWHERE, ChangePriority(priority=Priority.P1))
    assert world.outcome(told) == "case.not_found"
    assert all(not rows.rows for (stage, _), rows in world.driver.rows.items() if stage == "cases")
    world.check()


def test_a_version_that_is_not_the_expected_one_is_a_conflict(world: World, ops: str) -> None:
    world.create(ops)
    case_id = world.case("OPS-1").case_id
    first = world.tell(case_id, ChangePriority(priority=Priority.P1), expected_version=1)
    second = world.tell(case_id, ChangePriority(priority=Priority.P2), expected_version=1)
    assert [world.outcome(c) for c in (first, second)] == ["accepted", "case.version_conflict"]
    world.check()


def test_saying_what_is_already_so_is_answered_and_changes_nothing(world: World, ops: str) -> None:
    world.create(ops)
    case = world.case("OPS-1")
    told = world.tell(case.case_id, ChangeStatus(status=Status.OPEN))
    assert world.outcome(told) == "unchanged"
    assert world.case("OPS-1") == case
    world.check()


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("type.not_found", {"type_id": NOWHERE}),
        ("case.title_missing", {"title": "\u202e\x07"}),
        ("case.title_too_long", {"title": "x" * 161}),
        ("case.description_too_long", {"description": LONG}),
        ("case.too_many_tags", {"attributes": {"a": ("x",) * 201}}),
    ],
)
def test_a_refused_create_takes_no_number(world: World, ops: str, code: str, given: dict[str, Any]) -> None:
    assert world.outcome(world.create(ops, **given)) == code
    world.create(ops)
    assert [case.key for case in world.cases()] == ["OPS-1"]
    world.check()


def test_a_case_cannot_be_created_in_a_project_of_nobody(world: World, ops: str) -> None:
    assert world.outcome(world.create(NOWHERE)) == "project.not_found"
    assert world.outcome(world.create(ops, key="WEB")) == "project.not_found"
    world.check()


def test_a_chain_of_reactions_that_is_too_deep_is_refused_and_named(world: World, ops: str) -> None:
    world.create(ops)
    case_id = world.case("OPS-1").case_id
    deepest = world.tell(case_id, ChangePriority(priority=Priority.P1), depth=MAX_DEPTH)
    deeper = world.tell(case_id, ChangePriority(priority=Priority.P2), depth=MAX_DEPTH + 1)
    assert [world.outcome(c) for c in (deepest, deeper)] == ["accepted", "command.chain_too_deep"]
    (refused,) = [d for d in world.own("case.events") if d.name == "outcomes/command_rejected"]
    assert deeper in refused.body.detail
    world.check()


def test_a_signal_at_the_end_of_a_chain_that_is_too_deep_gets_its_receipt(world: World, ops: str) -> None:
    world.trigger(ops)
    case = world.case("OPS-1")
    (alert,) = case.alerts
    signal = world.acknowledge(ops, run=False)
    deep = ApplySignal(
        action=Action.ACKNOWLEDGE,
        alert_id=alert.alert_id,
        seq=2,
        signal_id=signal,
        title=Sealed.plain("x"),
        project_key="OPS",
    )
    envelope = world.envelope(case.case_id, depth=MAX_DEPTH + 1)
    world.driver.put(CASE_COMMANDS, aggregate_key(world.tenant_id, case.case_id), envelope, deep)
    world.driver.step("cases")
    assert world.receipt(signal) == "rejected:command.chain_too_deep"
    assert world.case("OPS-1") == case


def test_what_leads_to_more_than_the_broker_takes_is_refused(
    world: World, ops: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent, it would end the process again and again. The limits of each part leave room, so here the broker takes less."""
    monkeypatch.setattr(runner, "MAX_RECORD_BYTES", 30_000)
    wide = (Condition(field="f" * 3_900, operator=Operator.EQUALS, value="v" * 3_900),)
    outcomes = [
        world.outcome(
            world.configure(CreateRule(project_id=ops, name=f"r{n}", kind=RuleKind.SUPPRESS, conditions=wide))
        )
        for n in range(5)
    ]
    assert outcomes == ["accepted"] * 3 + ["command.too_large"] * 2
    largest = max(len(r.value or b"") for log in world.driver.logs.values() for r in log)
    assert largest <= 30_000
    assert world.driver.causes == []
    assert world.outcome(world.configure(UpdateProject(project_id=ops, name=Sealed.plain("still here")))) == "accepted"
    world.check()


def test_a_signal_that_leads_to_more_than_the_broker_takes_is_rejected_with_a_receipt(world: World, ops: str) -> None:
    labels = {f"{n}": "v" * 5_000 for n in range(200)}
    signal = world.trigger(ops, labels=labels)
    assert world.receipt(signal) == "rejected:command.too_large"
    assert world.alert() is None
    after = world.trigger(ops)
    assert world.receipt(after) == "folded"
    world.check()


def test_a_project_has_no_more_rules_than_fit_one_record(world: World, ops: str) -> None:
    for _ in range(RULES_LIMIT):
        world.configure(CreateRule(project_id=ops, name="r", kind=RuleKind.SUPPRESS, enabled=False))
    one_more = world.configure(CreateRule(project_id=ops, name="r", kind=RuleKind.SUPPRESS))
    assert world.outcome(one_more) == "rule.limit"
    world.check()


def test_an_edited_and_a_deleted_comment(world: World, ops: str) -> None:
    world.create(ops)
    case_id = world.case("OPS-1").case_id
    world.tell(case_id, AddComment(message=Sealed.plain("first")))
    (added,) = [d.body for d in world.own("case.events") if d.name == "cases/comment_added"]
    steps = [
        world.tell(case_id, EditComment(comment_id=added.comment_id, message=Sealed.plain("better"))),
        world.tell(case_id, DeleteComment(comment_id=added.comment_id)),
        world.tell(case_id, DeleteComment(comment_id=added.comment_id)),
        world.tell(case_id, EditComment(comment_id=added.comment_id, message=Sealed.plain("late"))),
    ]
    assert [world.outcome(c) for c in steps] == ["accepted", "accepted", "unchanged", "comment.not_found"]
    assert world.case("OPS-1").comments == 0
    world.check()
