"""A signal that comes again under its id is the same signal: its receipt stands, and it becomes nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.cases.commands import ChangeTitle
from streams.config.commands import DeleteRule
from streams.config.rule import RuleKind
from streams.envelope import Origin
from streams.ids import aggregate_key, alert_id
from streams.text import Sealed
from streams.topics import ALERT_SIGNALS, CASE_COMMANDS, CASE_EVENTS
from tests.world import ROUTING, World
from topologies.guard import REMEMBERED, Guard
from topologies.testing import ALL_SENT

KAFKA = Origin(topic=ALERT_SIGNALS, generation=1, partition=0, offset=7, n=0)
ELSEWHERE = replace(KAFKA, partition=1, offset=3)
"""The same signal, which its producer wrote twice, to another partition."""


@pytest.mark.parametrize(("first", "again"), [(None, None), (KAFKA, KAFKA), (KAFKA, ELSEWHERE), (None, KAFKA)])
def test_a_resolve_that_was_dropped_does_not_resolve_what_was_opened_since(
    world: World, ops: str, first: Origin | None, again: Origin | None
) -> None:
    dropped = world.resolve(ops, origin=first)
    assert world.receipt(dropped) == "dropped:no_open_alert"
    opened = world.trigger(ops)
    assert world.resolve(ops, id=dropped, correlation_id=dropped, origin=again) == dropped
    assert world.receipts()[dropped] == world.receipts()[dropped][:1]
    alert = world.alert()
    assert alert is not None
    assert alert.open
    assert world.receipt(opened) == "folded"
    world.check()


@pytest.mark.parametrize(("first", "again"), [(None, None), (KAFKA, KAFKA), (KAFKA, ELSEWHERE), (None, KAFKA)])
def test_a_trigger_that_was_suppressed_opens_nothing_once_its_rule_is_gone(
    world: World, ops: str, first: Origin | None, again: Origin | None
) -> None:
    rule = world.rule(ops, RuleKind.SUPPRESS)
    signal = world.trigger(ops, origin=first)
    assert world.receipt(signal) == f"suppressed:rule:{rule}"
    world.configure(DeleteRule(rule_id=rule))
    world.trigger(ops, id=signal, correlation_id=signal, origin=again)
    assert world.cases() == []
    assert world.receipts()[signal] == world.receipts()[signal][:1]
    world.check()


def test_a_signal_that_intake_refused_is_not_taken_the_second_time_it_is_routed(world: World, ops: str) -> None:
    """Stage `alerts` died after it had sent: the same record stands in `case.intake` twice."""
    world.delete_project(ops)
    signal = world.trigger(ops, run=False)
    world.driver.crash("alerts")
    world.driver.step("intake")
    world.project("OPS")
    world.driver.run()
    assert world.cases() == []
    receipts = world.receipts()[signal]
    assert len(receipts) == 1
    assert receipts[0].receipt.value in {"rejected", "dropped"}


def test_what_was_dropped_leaves_a_guard_and_no_alert(world: World, ops: str) -> None:
    world.resolve(ops)
    key = aggregate_key(world.tenant_id, alert_id(ROUTING, "cpu")).encode()
    held = [rows.rows[key] for (stage, _), rows in world.driver.rows.items() if stage == "alerts" and key in rows.rows]
    assert [len(row) for row in held] == [31]
    assert world.alert() is None


def redelivered(world: World, ops: str) -> int:
    """Give a case more commands than its row remembers, write its rows, lose the commit, and deliver all of it again.

    Returns how many events more than commands there are.
    """
    world.create(ops)
    case_id = world.case("OPS-1").case_id
    key = aggregate_key(world.tenant_id, case_id)
    begin = len(list(world.driver.records(CASE_EVENTS)))
    for n in range(REMEMBERED + 8):
        world.driver.put(CASE_COMMANDS, key, world.envelope(case_id), ChangeTitle(title=Sealed.plain(f"title {n}")))
    world.driver.crash("cases", ALL_SENT._replace(rows=1_000))
    world.driver.run()
    return len(list(world.driver.records(CASE_EVENTS))) - begin - REMEMBERED - 8


def test_what_is_delivered_again_is_known_by_its_place_however_much_it_is(world: World, ops: str) -> None:
    assert redelivered(world, ops) == 0
    world.check(repeated=True)


def test_ids_alone_would_not_do(world: World, ops: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "past", lambda *_: False)
    assert redelivered(world, ops) > 0
