"""PagerDuty Events v2, sentence by sentence. Source: PagerDuty, "Events API v2 overview"."""

from __future__ import annotations

import pytest

from streams.cases.case import AlertStatus, Priority, Status
from streams.cases.commands import Action, ChangeStatus
from tests.world import World

OTHER_ROUTING = "fedcba9876543210"


def test_a_trigger_opens_one_case_titled_with_its_summary(world: World, ops: str) -> None:
    signal = world.trigger(ops, "db", summary="Disk is full", priority=Priority.P1, labels={"host": "db-1"})
    (case,) = world.cases()
    assert (case.key, case.title.text, case.status, case.priority) == (
        "OPS-1",
        "Disk is full",
        Status.OPEN,
        Priority.P1,
    )
    assert case.attributes == {"host": ("db-1",)}
    assert world.receipt(signal) == "folded"
    assert world.receipts()[signal][0].case_id == case.case_id
    world.check()


def test_triggered_is_open_acknowledged_is_in_progress_resolved_is_closed(world: World, ops: str) -> None:
    world.trigger(ops)
    assert (world.case("OPS-1").status, world.case("OPS-1").status_name) == (Status.OPEN, "Open")
    world.acknowledge(ops)
    assert (world.case("OPS-1").status, world.case("OPS-1").status_name) == (Status.IN_PROGRESS, "In Progress")
    world.resolve(ops)
    assert (world.case("OPS-1").status, world.case("OPS-1").status_name) == (Status.CLOSED, "Closed")
    assert world.case("OPS-1").closed_at == world.now
    world.check()


def test_the_same_routing_and_dedup_key_applies_to_the_open_alert(world: World, ops: str) -> None:
    world.trigger(ops)
    again = world.trigger(ops, summary="CPU is still high")
    assert len(world.cases()) == 1
    assert world.receipt(again) == "deduplicated"
    assert world.case("OPS-1").alerts[0].triggers == 2
    assert world.case("OPS-1").title.text == "CPU is high"
    world.check()


def test_after_a_resolve_a_trigger_opens_a_new_alert_and_a_new_case(world: World, ops: str) -> None:
    world.trigger(ops)
    world.resolve(ops)
    again = world.trigger(ops)
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    assert world.receipt(again) == "folded"
    alert = world.alert()
    assert alert is not None
    assert (alert.episode, alert.status) == (2, AlertStatus.TRIGGERED)
    world.check()


@pytest.mark.parametrize("action", [Action.ACKNOWLEDGE, Action.RESOLVE])
def test_what_names_an_unknown_alert_is_dropped(world: World, ops: str, action: Action) -> None:
    signal = world.signal(action, ops)
    assert world.receipt(signal) == "dropped:no_open_alert"
    assert world.cases() == []
    assert world.alert() is None
    world.check()


@pytest.mark.parametrize("action", [Action.ACKNOWLEDGE, Action.RESOLVE])
def test_what_names_a_resolved_alert_is_dropped_and_reopens_nothing(world: World, ops: str, action: Action) -> None:
    world.trigger(ops)
    world.resolve(ops)
    version = world.case("OPS-1").version
    late = world.signal(action, ops)
    assert world.receipt(late) == "dropped:no_open_alert"
    assert world.case("OPS-1").version == version
    assert world.case("OPS-1").status is Status.CLOSED
    world.check()


def test_another_routing_key_never_matches(world: World, ops: str) -> None:
    world.trigger(ops)
    other = world.trigger(ops, routing=OTHER_ROUTING)
    dropped = world.resolve(ops, "mem", routing=OTHER_ROUTING)
    world.resolve(ops, routing=OTHER_ROUTING)
    assert world.receipt(other) == "folded"
    assert world.receipt(dropped) == "dropped:no_open_alert"
    assert [case.status for case in world.cases()] == [Status.OPEN, Status.CLOSED]
    world.check()


def test_a_retrigger_of_an_acknowledged_alert_is_a_log_entry_and_changes_no_status(world: World, ops: str) -> None:
    world.trigger(ops)
    world.acknowledge(ops)
    again = world.trigger(ops)
    assert world.story("OPS-1") == ["CaseOpened", "AlertAcknowledged", "CaseStatusChanged", "AlertRetriggered"]
    assert world.case("OPS-1").status is Status.IN_PROGRESS
    assert world.case("OPS-1").alerts[0].status is AlertStatus.ACKNOWLEDGED
    assert world.receipt(again) == "deduplicated"
    world.check()


def test_a_second_acknowledge_is_a_duplicate(world: World, ops: str) -> None:
    world.trigger(ops)
    world.acknowledge(ops)
    again = world.acknowledge(ops)
    assert world.receipt(again) == "deduplicated:already_acknowledged"
    world.check()


def test_an_acknowledge_of_a_case_that_somebody_works_on_leaves_its_status(world: World, ops: str) -> None:
    world.trigger(ops)
    world.tell(world.case("OPS-1").case_id, ChangeStatus(status=Status.IN_PROGRESS))
    signal = world.acknowledge(ops)
    assert world.receipt(signal) == "folded"
    assert world.story("OPS-1") == ["CaseOpened", "CaseStatusChanged", "AlertAcknowledged"]
    world.check()


def test_a_long_summary_is_cut_for_the_title_and_whole_in_the_description(world: World, ops: str) -> None:
    summary = "x" * 1024
    world.trigger(ops, summary=summary)
    case = world.case("OPS-1")
    assert case.title.text == "x" * 159 + "…"
    assert case.description.text == summary
    world.check()


def test_a_summary_without_anything_to_read_gives_way_to_the_key(world: World, ops: str) -> None:
    world.trigger(ops, "disk/7", summary="\u202e\x00 ")
    assert world.case("OPS-1").title.text == "disk/7"
    world.check()


def test_labels_beyond_the_limits_of_attributes_are_cut_and_lose_no_trigger(world: World, ops: str) -> None:
    labels = {f"label-{n}": "v" * 300 for n in range(250)}
    signal = world.trigger(ops, labels=labels)
    attributes = world.case("OPS-1").attributes
    assert world.receipt(signal) == "folded"
    assert len(attributes) == 200
    assert {len(value) for (value,) in attributes.values()} == {200}
    world.check()
