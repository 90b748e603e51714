"""When a case ends, and what signals meet that are on their way to it."""

from __future__ import annotations

from streams.cases.case import AlertStatus, Status
from streams.cases.commands import Action, ArchiveCase, ChangeStatus, UnarchiveCase
from streams.config.rule import RuleKind
from streams.envelope import MAX_DEPTH
from streams.ids import aggregate_key
from streams.intake.commands import ReturnSignal
from streams.intake.project_intake import Attachment
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_INTAKE
from tests.world import ROUTING, World
from topologies.partition import partition_of


def flying_close(world: World, case_id: str) -> None:
    """People close a case, and stage `cases` alone has heard of it so far."""
    envelope = world.envelope(case_id)
    world.driver.put(
        CASE_COMMANDS, aggregate_key(world.tenant_id, case_id), envelope, ChangeStatus(status=Status.CLOSED)
    )
    world.driver.step("cases")


def test_a_trigger_after_people_closed_the_case_opens_a_new_one(world: World, ops: str) -> None:
    world.trigger(ops)
    world.close(world.case("OPS-1").case_id)
    alert = world.alert()
    assert alert is not None
    assert alert.status is AlertStatus.RESOLVED
    again = world.trigger(ops)
    assert world.receipt(again) == "folded"
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    world.check()


def overtake(world: World, case_id: str, *statuses: Status, last: int = 1) -> None:
    """Put changes of status before the last commands of a case, which no stage has read yet."""
    key = aggregate_key(world.tenant_id, case_id)
    log = world.driver.logs[CASE_COMMANDS, partition_of(key.encode(), world.driver.partitions)]
    overtaken = log[-last:]
    del log[-last:]
    for status in statuses:
        world.driver.put(CASE_COMMANDS, key, world.envelope(case_id), ChangeStatus(status=status))
    log += overtaken


def test_a_trigger_that_crosses_the_end_of_its_case_opens_a_new_one(world: World, ops: str) -> None:
    world.trigger(ops)
    crossing = world.trigger(ops, run=False)
    world.driver.step("alerts")
    world.driver.step("intake")
    overtake(world, world.case("OPS-1").case_id, Status.CLOSED)
    world.driver.run()
    assert world.receipt(crossing) == "folded"
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    assert world.receipts()[crossing][0].case_id == world.case("OPS-2").case_id
    world.resolve(ops)
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.CLOSED]
    world.check()


def test_no_signal_overtakes_those_that_are_coming_back(world: World, ops: str) -> None:
    """A resolve that went straight to the new case would close it, and the trigger behind it would open another."""
    world.trigger(ops)
    second, third = world.trigger(ops, run=False), world.trigger(ops, run=False)
    world.driver.step("alerts")
    world.driver.step("intake")
    overtake(world, world.case("OPS-1").case_id, Status.CLOSED, last=2)
    world.driver.batch = 1
    for stage in ("cases", "cases", "intake", "intake"):
        world.driver.step(stage)
    # The case has ended and sent the second trigger back, which opens another; the third is still to be sent back.
    resolve = world.resolve(ops, run=False)
    for stage in ("alerts", "alerts", "intake"):
        world.driver.step(stage)
    world.driver.run()
    assert [world.receipt(s) for s in (second, third, resolve)] == ["folded", "deduplicated", "folded"]
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.CLOSED]
    world.check()
    # Once all are back, signals go straight again.
    again = world.trigger(ops)
    assert world.receipt(again) == "folded"
    attachment = world.driver.state("intake", f"{world.tenant_id}/OPS|alert/{ROUTING}/cpu")
    assert attachment == Attachment(case_id=world.case("OPS-3").case_id, seq=5)


def test_an_acknowledge_of_the_ended_case_does_not_count_for_the_new_one(world: World, ops: str) -> None:
    world.trigger(ops)
    world.acknowledge(ops)
    world.trigger(ops, run=False)
    world.driver.step("alerts")
    world.driver.step("intake")
    overtake(world, world.case("OPS-1").case_id, Status.CLOSED)
    world.driver.run()
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    again = world.acknowledge(ops)
    assert world.receipt(again) == "folded"
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.IN_PROGRESS]
    world.check()


def test_a_trigger_finds_its_case_again_that_was_closed_and_opened_meanwhile(world: World, ops: str) -> None:
    world.trigger(ops)
    crossing = world.trigger(ops, run=False)
    world.driver.step("alerts")
    world.driver.step("intake")
    overtake(world, world.case("OPS-1").case_id, Status.CLOSED, Status.OPEN)
    world.driver.run()
    assert world.receipt(crossing) == "deduplicated"
    assert len(world.cases()) == 1
    world.resolve(ops)
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    world.check()


def test_a_trigger_between_the_end_of_a_case_and_the_news_of_it_opens_a_new_one(world: World, ops: str) -> None:
    world.trigger(ops)
    flying_close(world, world.case("OPS-1").case_id)
    crossing = world.trigger(ops)
    world.acknowledge(ops)
    assert world.receipt(crossing) == "folded"
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.IN_PROGRESS]
    world.check()


def test_a_signal_behind_a_returning_trigger_finds_the_new_case(world: World, ops: str) -> None:
    world.trigger(ops)
    flying_close(world, world.case("OPS-1").case_id)
    signals = [
        world.trigger(ops, run=False),
        world.acknowledge(ops, run=False),
        world.trigger(ops, run=False),
        world.resolve(ops, run=False),
    ]
    world.driver.run()
    assert [world.receipt(s) for s in signals] == ["folded", "folded", "deduplicated", "folded"]
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.CLOSED]
    assert world.story("OPS-2") == [
        "CaseOpened",
        "AlertAcknowledged",
        "CaseStatusChanged",
        "AlertRetriggered",
        "AlertResolved",
        "CaseStatusChanged",
    ]
    world.check()


def test_a_late_acknowledge_does_not_reopen_the_case(world: World, ops: str) -> None:
    world.trigger(ops)
    flying_close(world, world.case("OPS-1").case_id)
    late = world.acknowledge(ops)
    assert world.receipt(late) == "dropped:no_open_alert"
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    alert = world.alert()
    assert alert is not None
    assert not alert.open
    world.trigger(ops)
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    world.check()


def test_a_resolve_that_crosses_the_end_is_dropped_and_the_next_trigger_opens(world: World, ops: str) -> None:
    world.trigger(ops)
    flying_close(world, world.case("OPS-1").case_id)
    end = world.resolve(ops, run=False)
    again = world.trigger(ops, run=False)
    world.driver.run()
    assert world.receipt(end) == "dropped:no_open_alert"
    assert world.receipt(again) == "folded"
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    world.check()


def test_an_archived_case_has_ended(world: World, ops: str) -> None:
    world.trigger(ops)
    case_id = world.case("OPS-1").case_id
    world.tell(case_id, ArchiveCase())
    again = world.trigger(ops)
    assert world.receipt(again) == "folded"
    assert len(world.cases()) == 2
    assert world.case("OPS-1").archived_at is not None
    world.tell(case_id, UnarchiveCase())
    world.resolve(ops)
    assert [case.status for case in world.cases()] == [Status.OPEN, Status.CLOSED]
    world.check()


def test_a_case_that_people_open_again_is_left_to_them(world: World, ops: str) -> None:
    world.trigger(ops)
    case_id = world.case("OPS-1").case_id
    world.close(case_id)
    world.tell(case_id, ChangeStatus(status=Status.OPEN))
    world.trigger(ops)
    world.resolve(ops)
    assert [case.status for case in world.cases()] == [Status.OPEN, Status.CLOSED]
    world.check()


def test_a_group_of_alerts_moves_on_together(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.GROUP, group_by=("service",))
    for host in ("a", "b"):
        world.trigger(ops, host, labels={"service": "shop"})
    flying_close(world, world.case("OPS-1").case_id)
    for host in ("a", "b", "c"):
        world.trigger(ops, host, labels={"service": "shop"}, run=False)
    world.driver.run()
    assert [(case.status, len(case.alerts)) for case in world.cases()] == [(Status.CLOSED, 2), (Status.OPEN, 3)]
    world.check()


def test_a_trigger_that_met_ended_cases_all_along_opens_one_of_its_own(world: World, ops: str) -> None:
    """The chain is cut where the next case might have ended again: a case that it opens cannot have."""
    signal = _returned(world, ops, depth=MAX_DEPTH + 1)
    assert world.receipt(signal) == "folded"
    assert world.receipts()[signal][0].case_id == world.case("OPS-2").case_id
    world.resolve(ops)
    assert [case.status for case in world.cases()] == [Status.OPEN, Status.CLOSED]
    world.check()


def test_a_trigger_at_the_end_of_its_chain_follows_the_one_before_it(world: World, ops: str) -> None:
    """Two triggers that were sent back as often would else open a case each, and one of them would stay open."""
    signal = _returned(world, ops, depth=MAX_DEPTH - 1)
    assert world.receipt(signal) == "deduplicated"
    assert world.receipts()[signal][0].case_id == world.case("OPS-1").case_id
    world.resolve(ops)
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    world.check()


def _returned(world: World, ops: str, *, depth: int) -> str:
    """Let a second trigger come back from an ended case, `depth` stages deep, while its alert is in OPS-1."""
    world.trigger(ops)
    case = world.case("OPS-1")
    (alert,) = case.alerts
    signal = world.trigger(ops, run=False)
    world.driver.step("alerts")
    world.driver.logs[CASE_INTAKE, partition_of(f"{world.tenant_id}/OPS".encode(), world.driver.partitions)].pop()
    returned = ReturnSignal(
        ended_case_id="00000000-0000-0000-0000-00000000dead",
        action=Action.TRIGGER,
        alert_id=alert.alert_id,
        seq=2,
        signal_id=signal,
        title=Sealed.plain("CPU is high"),
    )
    envelope = world.envelope("OPS", depth=depth)
    world.driver.pipe(CASE_INTAKE, aggregate_key(world.tenant_id, "OPS"), envelope, returned)
    return signal
