"""A grouping rule joins several alerts to one case; suppression keeps some from opening any."""

from __future__ import annotations

from streams.cases.case import ALERTS_LIMIT, AlertStatus, Status
from streams.config.commands import DeleteRule, ReplaceRule
from streams.config.rule import Condition, Operator, RuleKind
from tests.world import SECOND, World

BY_SERVICE = {"group_by": ("service",)}


def test_alerts_of_one_group_join_one_case_which_closes_with_the_last(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    for host in ("a", "b", "c"):
        world.trigger(ops, host, labels={"service": "shop", "host": host})
    (case,) = world.cases()
    assert [a.status for a in case.alerts] == [AlertStatus.TRIGGERED] * 3
    world.resolve(ops, "b")
    world.resolve(ops, "a")
    assert world.case("OPS-1").status is Status.OPEN
    world.resolve(ops, "c")
    assert world.case("OPS-1").status is Status.CLOSED
    world.check()


def test_another_value_of_the_field_is_another_group(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    world.trigger(ops, "a", labels={"service": "shop"})
    world.trigger(ops, "b", labels={"service": "mail"})
    world.trigger(ops, "c")
    assert [len(case.alerts) for case in world.cases()] == [1, 1, 1]
    world.check()


def test_an_alert_that_fires_again_in_its_open_case_is_triggered_there(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    for host in ("a", "b"):
        world.trigger(ops, host, labels={"service": "shop"})
    world.resolve(ops, "a")
    again = world.trigger(ops, "a", labels={"service": "shop"})
    (case,) = world.cases()
    assert case.alert("0123456789abcdef/a") is not None
    assert [a.status for a in case.alerts] == [AlertStatus.TRIGGERED] * 2
    assert world.receipt(again) == "deduplicated"
    world.resolve(ops, "b")
    assert world.case("OPS-1").status is Status.OPEN
    world.resolve(ops, "a")
    assert world.case("OPS-1").status is Status.CLOSED
    world.check()


def test_acknowledging_one_alert_of_a_group_puts_the_case_in_progress(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    for host in ("a", "b"):
        world.trigger(ops, host, labels={"service": "shop"})
    world.acknowledge(ops, "b")
    case = world.case("OPS-1")
    assert case.status is Status.IN_PROGRESS
    assert [a.status for a in case.alerts] == [AlertStatus.TRIGGERED, AlertStatus.ACKNOWLEDGED]
    world.check()


def test_a_group_takes_no_more_alerts_than_its_limit_and_the_next_opens_a_case(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    for n in range(ALERTS_LIMIT + 1):
        world.trigger(ops, f"host-{n}", labels={"service": "shop"}, run=False)
    world.driver.run()
    assert [len(case.alerts) for case in world.cases()] == [ALERTS_LIMIT, 1]
    world.trigger(ops, "one-more", labels={"service": "shop"})
    assert [len(case.alerts) for case in world.cases()] == [ALERTS_LIMIT, 2]
    world.check()


def test_closing_a_case_of_a_hundred_alerts_ends_each_of_them(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    for n in range(ALERTS_LIMIT):
        world.trigger(ops, f"host-{n}", labels={"service": "shop"}, run=False)
    world.driver.run()
    world.close(world.case("OPS-1").case_id)
    ended = [world.alert(f"host-{n}") for n in range(ALERTS_LIMIT)]
    assert all(alert is not None and not alert.open for alert in ended)
    world.trigger(ops, "host-7", labels={"service": "shop"})
    assert [len(case.alerts) for case in world.cases()] == [ALERTS_LIMIT, 1]
    world.check()


def test_after_the_window_an_alert_opens_a_case_of_its_own(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, group_by=("service",), window=60)
    world.trigger(ops, "a", labels={"service": "shop"})
    world.trigger(ops, "b", labels={"service": "shop"})
    world.now += 60 * SECOND
    world.trigger(ops, "c", labels={"service": "shop"})
    assert [len(case.alerts) for case in world.cases()] == [2, 1]
    world.trigger(ops, "a", labels={"service": "shop"})
    assert [len(case.alerts) for case in world.cases()] == [2, 1]
    world.check()


def test_a_closed_case_ends_its_group(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    world.trigger(ops, "a", labels={"service": "shop"})
    world.close(world.case("OPS-1").case_id)
    world.trigger(ops, "b", labels={"service": "shop"})
    assert [len(case.alerts) for case in world.cases()] == [1, 1]
    world.check()


def test_a_rule_that_is_replaced_or_deleted_counts_from_then_on(world: World, ops: str) -> None:
    rule = world.rule(ops, RuleKind.GROUP, **BY_SERVICE)
    world.trigger(ops, "a", labels={"service": "shop", "team": "x"})
    world.configure(ReplaceRule(rule_id=rule, name="by team", group_by=("team",)))
    world.trigger(ops, "b", labels={"service": "shop", "team": "x"})
    world.trigger(ops, "c", labels={"service": "mail", "team": "x"})
    assert [len(case.alerts) for case in world.cases()] == [1, 2]
    world.configure(DeleteRule(rule_id=rule))
    world.trigger(ops, "d", labels={"team": "x"})
    assert [len(case.alerts) for case in world.cases()] == [1, 2, 1]
    world.check()


def test_a_suppressed_trigger_opens_nothing_and_names_its_rule(world: World, ops: str) -> None:
    noise = Condition(field="env", operator=Operator.EQUALS, value="test")
    rule = world.rule(ops, RuleKind.SUPPRESS, noise)
    signal = world.trigger(ops, labels={"env": "test"})
    passed = world.trigger(ops, "other", labels={"env": "prod"})
    assert world.receipt(signal) == f"suppressed:rule:{rule}"
    assert world.receipt(passed) == "folded"
    assert len(world.cases()) == 1
    world.check()


def test_a_resolve_is_never_suppressed(world: World, ops: str) -> None:
    world.trigger(ops, labels={"env": "test"})
    world.rule(ops, RuleKind.SUPPRESS, Condition(field="env", operator=Operator.EXISTS))
    again = world.trigger(ops, labels={"env": "test"})
    end = world.resolve(ops, labels={"env": "test"})
    assert world.receipt(again).startswith("suppressed:")
    assert world.receipt(end) == "folded"
    assert world.case("OPS-1").status is Status.CLOSED
    world.check()


def test_rules_of_one_project_do_not_touch_another(world: World, ops: str) -> None:
    other = world.project("WEB")
    world.rule(ops, RuleKind.SUPPRESS)
    suppressed, passed = world.trigger(ops), world.trigger(other, "x", key="WEB")
    assert world.receipt(suppressed).startswith("suppressed:")
    assert world.receipt(passed) == "folded"
    world.check()
