"""What a row can grow to is bounded: each limit is refused by name, and the largest case there can be still moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas import codec
from schemas.topics import MAX_RECORD_BYTES
from streams.cases.case import ALERTS_LIMIT, Priority, Status
from streams.cases.commands import (
    AddComment,
    AssignCase,
    ChangeAttributes,
    ChangeDescription,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
)
from streams.config.changes import RulesChanged
from streams.config.commands import BindRoutingKey, CreateProject, CreateRule, UpdateProject
from streams.config.limits import CONDITIONS_LIMIT, GROUP_BY_LIMIT, RULE_LIMIT, SETTINGS_LIMIT, TYPES_LIMIT
from streams.config.rule import RULES_LIMIT, Condition, Operator, RuleKind, Rules
from streams.ids import aggregate_key
from streams.text import (
    COMMENT_LIMIT,
    DESCRIPTION_LIMIT,
    ID_LIMIT,
    NAME_LIMIT,
    RESOLVED_REASON_LIMIT,
    SEALING,
    TAG_LIMIT,
    TAGS_BYTES,
    TAGS_LIMIT,
    TITLE_LIMIT,
    Sealed,
)
from streams.topics import CASE_EVENTS
from tests.world import World
from topologies.guard import Guard
from topologies.step import ROWS_LIMIT

# Four bytes in UTF-8, as many as any character takes.
WIDE = "\N{FIRE}"
ROW_LIMIT = 256 * 1024
"""What the published limits of a case come to, with some room."""


def row_size(world: World, case_id: str) -> int:
    key = aggregate_key(world.tenant_id, case_id).encode()
    return sum(len(rows.rows.get(key, b"")) for (stage, _), rows in world.driver.rows.items() if stage == "cases")


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("case.assignee_too_long", AssignCase(assignee_id="u" * (ID_LIMIT + 1))),
        ("case.too_many_tags", ChangeAttributes(attributes={str(n): () for n in range(TAGS_LIMIT + 1)})),
        (
            "case.tags_too_large",
            ChangeAttributes(attributes={str(n): (WIDE * TAG_LIMIT,) for n in range(TAGS_BYTES // (4 * TAG_LIMIT))}),
        ),
        (
            "case.title_too_long",
            ChangeTitle(title=Sealed(b"\0" * (4 * TITLE_LIMIT + SEALING + 1), key_id="encrypted")),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_case_grows_no_larger_than_its_limits(world: World, ops: str, code: str, command: Any) -> None:
    world.create(ops)
    case = world.case("OPS-1")
    assert world.outcome(world.tell(case.case_id, command)) == code
    assert world.case("OPS-1") == case
    world.check()


def test_a_case_cannot_be_created_for_an_endless_user(world: World, ops: str) -> None:
    asked = world.create(ops, assignee_id="u" * (ID_LIMIT + 1))
    assert world.outcome(asked) == "case.assignee_too_long"
    assert world.cases() == []
    world.check()


def rule(**given: Any) -> CreateRule:
    return CreateRule(**({"project_id": "", "name": "rule", "kind": RuleKind.SUPPRESS} | given))


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("project.name_too_long", CreateProject(key="WEB", name=Sealed.plain("x" * (NAME_LIMIT + 1)))),
        ("project.team_uuid_too_long", CreateProject(key="WEB", name=Sealed.plain("x"), team_uuid="t" * 101)),
        ("project.settings_too_long", UpdateProject(project_id="", settings=" " * (SETTINGS_LIMIT + 1))),
        ("project.columns_config_too_long", UpdateProject(project_id="", columns_config=" " * (SETTINGS_LIMIT + 1))),
        (
            "project.enabled_custom_case_types_too_long",
            UpdateProject(project_id="", enabled_custom_case_types=("t",) * (TYPES_LIMIT + 1)),
        ),
        ("rule.name_too_long", rule(name="x" * (NAME_LIMIT + 1))),
        (
            "rule.conditions_too_long",
            rule(conditions=(Condition(field="a", operator=Operator.EXISTS),) * (CONDITIONS_LIMIT + 1)),
        ),
        (
            "rule.conditions_too_long",
            rule(conditions=(Condition(field="a", operator=Operator.EQUALS, value="x" * RULE_LIMIT),)),
        ),
        ("rule.group_by_too_long", rule(group_by=("a",) * (GROUP_BY_LIMIT + 1))),
        ("routing_key.digest_too_long", BindRoutingKey(project_id="", digest="d" * (ID_LIMIT + 1))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_configuration_grows_no_larger_than_its_limits(world: World, code: str, command: Any) -> None:
    assert world.outcome(world.configure(command)) == code
    world.check()


def test_all_rules_of_a_project_at_their_largest_still_travel_as_one_record(world: World, ops: str) -> None:
    condition = Condition(field="f", operator=Operator.STARTS_WITH, value="v" * (RULE_LIMIT - 1))
    largest = rule(
        project_id=ops,
        name=WIDE * NAME_LIMIT,
        kind=RuleKind.SUPPRESS,
        conditions=(condition,),
        window=2_592_000,
    )
    assert world.outcome(world.configure(largest)) == "accepted"
    rules: Rules = world.driver.state("alerts", RulesChanged.key_of(world.tenant_id, "OPS"))
    all_of_them = replace(rules, rules=rules.rules * RULES_LIMIT)
    told = codec.encode(world.envelope(world.tenant_id), RulesChanged(rules=all_of_them))
    assert 0.8 * MAX_RECORD_BYTES < len(told) < MAX_RECORD_BYTES
    own = Guard().encode(codec.encode_row(all_of_them))
    # With the rules, the rule itself and the tenant's guard change.
    assert len(own) + 2 * RULE_LIMIT < ROWS_LIMIT
    world.check()


def test_the_largest_case_that_there_can_be_still_takes_whatever_is_said_to_it(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, group_by=("service", "text"))
    labels = {"service": "shop", "text": WIDE * 1024}
    for n in range(ALERTS_LIMIT):
        world.trigger(ops, f"alert-{n}-".ljust(255, "x"), labels=labels)
    case_id = world.case("OPS-1").case_id
    tags = {f"{n:03}": (WIDE * (TAG_LIMIT // 2),) for n in range(TAGS_LIMIT)}
    commands = [
        ChangeTitle(title=Sealed.plain(WIDE * TITLE_LIMIT)),
        ChangeDescription(description=Sealed.plain(WIDE * DESCRIPTION_LIMIT)),
        ChangeAttributes(attributes=tags),
        AssignCase(assignee_id="u" * ID_LIMIT),
        ChangeStatus(status=Status.CLOSED),
        ChangeResolvedReason(reason=Sealed.plain(WIDE * RESOLVED_REASON_LIMIT)),
        AddComment(message=Sealed.plain(WIDE * COMMENT_LIMIT)),
        # Both the text before and the one after are in the event, with the case.
        ChangeDescription(description=Sealed.plain("x" + WIDE * (DESCRIPTION_LIMIT - 1))),
        ChangeAttributes(attributes={name: (value[0] + "x",) for name, value in tags.items()}),
        ChangePriority(priority=Priority.P1),
        *(ChangeTitle(title=Sealed.plain(f"{n}")) for n in range(40)),
    ]
    told = [world.tell(case_id, command) for command in commands]
    outcomes = world.outcomes()
    assert {outcomes[command][0] for command in told} == {"accepted"}
    assert len(world.case("OPS-1").alerts) == ALERTS_LIMIT
    assert 200_000 < row_size(world, case_id) < ROW_LIMIT < ROWS_LIMIT
    world.check()


def test_the_thousandth_command_of_a_case_costs_no_more_than_the_hundredth(world: World, ops: str) -> None:
    world.create(ops)
    case_id = world.case("OPS-1").case_id
    said = Sealed.plain("The disk fills by one percent an hour.")
    rows: list[int] = []
    for _ in range(10):
        for _ in range(100):
            world.tell(case_id, AddComment(message=said), run=False)
        world.driver.run()
        rows.append(row_size(world, case_id))
    sizes = [len(r.value or b"") for r in world.driver.records(CASE_EVENTS)]
    assert len(sizes) == 1 + 1_000
    # Numbers take a byte more as they grow, and nothing else does.
    assert max(sizes[1:]) - min(sizes[1:]) <= 8
    assert max(rows) - min(rows) <= 4
