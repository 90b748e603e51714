"""Rules: when they match, and which group facts belong to."""

from __future__ import annotations

import pytest

from streams.cases.limits import attributes, fit
from streams.config.rule import Condition, Operator, Rule, RuleKind, Rules
from streams.text import TAG_LIMIT, TAGS_BYTES, TAGS_LIMIT

FACTS = {"host": "db-1.prod", "env": "prod", "empty": ""}


def rule(name: str = "r", kind: RuleKind = RuleKind.GROUP, *conditions: Condition, enabled: bool = True) -> Rule:
    return Rule(
        rule_id=name,
        version=1,
        project_id="p",
        project_key="OPS",
        name=name,
        kind=kind,
        enabled=enabled,
        conditions=conditions,
        group_by=("host", "env"),
        created_at=0,
    )


@pytest.mark.parametrize(
    ("field", "operator", "value", "holds"),
    [
        ("env", Operator.EQUALS, "prod", True),
        ("env", Operator.EQUALS, "pro", False),
        ("missing", Operator.EQUALS, "", True),
        ("env", Operator.NOT_EQUALS, "test", True),
        ("env", Operator.NOT_EQUALS, "prod", False),
        ("host", Operator.CONTAINS, "-1.", True),
        ("host", Operator.CONTAINS, "-2.", False),
        ("host", Operator.STARTS_WITH, "db-", True),
        ("host", Operator.STARTS_WITH, "b-", False),
        ("env", Operator.EXISTS, "", True),
        ("empty", Operator.EXISTS, "", False),
        ("missing", Operator.EXISTS, "", False),
    ],
)
def test_a_condition_holds_of_a_fact(field: str, operator: Operator, value: str, *, holds: bool) -> None:
    assert Condition(field=field, operator=operator, value=value).holds(FACTS) is holds


def test_a_rule_matches_where_it_is_enabled_and_all_its_conditions_hold() -> None:
    prod = Condition(field="env", operator=Operator.EQUALS, value="prod")
    test = Condition(field="env", operator=Operator.EQUALS, value="test")
    assert rule("a", RuleKind.GROUP).matches(FACTS)
    assert rule("a", RuleKind.GROUP, prod).matches(FACTS)
    assert not rule("a", RuleKind.GROUP, prod, test).matches(FACTS)
    assert not rule("a", RuleKind.GROUP, prod, enabled=False).matches(FACTS)


def test_the_first_rule_of_a_kind_that_matches_counts() -> None:
    rules = Rules(project_key="OPS", rules=(rule("s", RuleKind.SUPPRESS), rule("g"), rule("h")))
    suppressing, grouping = rules.suppressing(FACTS), rules.grouping(FACTS)
    assert suppressing is not None
    assert grouping is not None
    assert (suppressing.rule_id, grouping.rule_id) == ("s", "g")
    assert Rules(project_key="OPS").grouping(FACTS) is None


def test_groups_are_told_apart_whatever_their_values_hold() -> None:
    one, two = {"host": "a", "env": "b1:c"}, {"host": "a1:b", "env": "c"}
    assert rule().group_key(one) != rule().group_key(two)
    assert rule().group_key({}) == "r:0:0:"


def test_a_group_whose_values_are_long_has_a_short_name_of_its_own() -> None:
    long = {"host": "h" * 5_000, "env": "prod"}
    name = rule().group_key(long)
    assert len(name) < 100
    assert name == rule().group_key(long)
    assert name != rule().group_key({**long, "env": "test"})
    assert Rules(project_key="OPS", rules=(rule("r"),)).of_group(name) == rule("r")


def test_a_group_is_known_by_the_rule_that_made_it() -> None:
    rules = Rules(project_key="OPS", rules=(rule("r1"), rule("r11")))
    for each in rules.rules:
        assert rules.of_group(each.group_key(FACTS)) == each
    assert rules.of_group(rule("r").group_key(FACTS)) is None


def test_facts_are_cut_to_what_attributes_may_hold() -> None:
    fitted = fit({"": "x", "none": "", "\x00": "x", "a\nb": "c\td", **{str(n): "v" * 500 for n in range(300)}})
    assert len(fitted) == TAGS_LIMIT
    assert fitted["a b"] == ("c d",)
    assert set(fitted) & {"", "none"} == set()
    assert {len(value) for (value,) in fitted.values()} == {3, TAG_LIMIT}


def test_facts_are_cut_to_the_bytes_that_attributes_may_have_in_all() -> None:
    fitted = fit({f"{n:03}": "\N{FIRE}" * TAG_LIMIT for n in range(TAGS_LIMIT)})
    assert list(fitted) == [f"{n:03}" for n in range(TAGS_BYTES // (3 + 4 * TAG_LIMIT))]
    assert attributes(fitted) is None
