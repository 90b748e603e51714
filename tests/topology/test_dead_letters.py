"""What cannot be read or folded goes aside with its cause, and the rest flows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas import codec
from streams.alerts.commands import AlertEnded
from streams.cases.case import Case, Priority, Status
from streams.cases.commands import ChangePriority, ChangeStatus, ChangeTitle
from streams.cases.stage import CasesStage
from streams.envelope import Envelope, Origin
from streams.ids import aggregate_key
from streams.parked import Parked, parked_key
from streams.stage import Handled, Rows
from streams.text import Sealed
from streams.topics import ALERT_COMMANDS, ALERT_SIGNALS, CASE_COMMANDS, CASE_INTAKE, CONFIG_COMMANDS
from tests.world import World
from topologies.batch_rows import UnreadableRow
from topologies.graph import TOPOLOGY, Topology
from topologies.guard import Guard
from topologies.testing import TopologyTestDriver

TOPICS = [ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS, CONFIG_COMMANDS]
STAGE_OF = {stage.reads: stage for stage in TOPOLOGY.stages}


def letters(world: World, topic: str) -> list[dict[str, str]]:
    return [
        {name: value.decode() for name, value in record.headers}
        for record in world.driver.records(STAGE_OF[topic].dead_letters)
    ]


@pytest.mark.parametrize("topic", TOPICS)
def test_bad_avro_goes_to_the_dead_letters_with_its_cause_and_the_rest_flows(world: World, topic: str) -> None:
    ops = world.project("OPS")
    unknown = b"\0\0\0\xff\xff"
    for value in (b"", None, b"\1bad", unknown, unknown[:4], codec.encode_row(Parked(cause="x", offset=0))):
        world.driver.pipe_bytes(topic, f"{world.tenant_id}/OPS".encode(), value)
    found = letters(world, topic)
    assert len(found) == 6
    assert all(letter["topic"] == topic for letter in found)
    assert any("schema id 65535 is not known here" in letter["error"] for letter in found)
    assert next(r.value for r in world.driver.records(STAGE_OF[topic].dead_letters)) == b""
    assert world.receipt(world.trigger(ops)) == "folded"
    assert world.outcome(world.create(ops)) == "accepted"
    world.check()


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        (None, "the key is not that of"),
        ("", "the key is not that of"),
        ("{tenant}x/{case}", "the key is not that of"),
        ("{tenant}/another", "the key is not that of"),
        ("another/{case}", "the key is not that of"),
    ],
)
def test_a_record_under_a_foreign_key_is_not_folded(world: World, ops: str, key: str | None, cause: str) -> None:
    """Its tenant, and its whole name: a prefix is not enough."""
    world.create(ops)
    case = world.case("OPS-1")
    named = None if key is None else key.format(tenant=world.tenant_id, case=case.case_id).encode()
    value = codec.encode(world.envelope(case.case_id), ChangeTitle(title=Sealed.plain("hijacked")))
    world.driver.pipe_bytes(CASE_COMMANDS, named, value)
    assert [cause in letter["error"] for letter in letters(world, CASE_COMMANDS)] == [True]
    assert world.case("OPS-1") == case


@pytest.mark.parametrize("bad", ["ab", "not-a-uuid", "00" * 17])
def test_an_id_that_is_no_uuid_is_not_folded(world: World, ops: str, bad: str) -> None:
    """Rows remember ids by their sixteen bytes: others would shift all that stands behind them."""
    world.create(ops)
    case = world.case("OPS-1")
    envelope = replace(world.envelope(case.case_id), id=bad)
    world.driver.pipe(
        CASE_COMMANDS, aggregate_key(world.tenant_id, case.case_id), envelope, ChangeStatus(status=Status.CLOSED)
    )
    assert len(letters(world, CASE_COMMANDS)) == 1
    assert world.case("OPS-1") == case
    world.check()


def test_a_record_that_its_stage_does_not_take_is_a_dead_letter(world: World, ops: str) -> None:
    """And as it is a signal, it gets its receipt: it has come to its end here."""

    body = AlertEnded(case_id=ops, seq=1)
    world.driver.pipe(CASE_INTAKE, f"{world.tenant_id}/OPS", world.envelope("OPS"), body)
    (letter,) = letters(world, CASE_INTAKE)
    assert letter["error"] == "TypeError: stage intake does not take AlertEnded"
    world.check()


class Stumbling(CasesStage):
    """Cannot fold what is called "stumble"."""

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        title = getattr(body, "title", None)
        if title == Sealed.plain("stumble"):
            raise RuntimeError("it stumbled \ud800")
        return super().handle(key, envelope, body, rows)


def stumbling() -> World:
    stages = tuple(replace(s, logic=Stumbling) if s.name == "cases" else s for s in TOPOLOGY.stages)
    return World(TopologyTestDriver(Topology(sources=TOPOLOGY.sources, stages=stages, sinks=TOPOLOGY.sinks))).register()


def test_a_fold_that_raises_parks_its_case_and_later_commands_follow_with_their_outcome_pending() -> None:
    world = stumbling()
    ops = world.project("OPS")
    world.create(ops)
    world.create(ops)
    first, second = world.cases()
    stumbled = world.tell(first.case_id, ChangeTitle(title=Sealed.plain("stumble")))
    follows = world.tell(first.case_id, ChangePriority(priority=Priority.P1))
    other = world.tell(second.case_id, ChangePriority(priority=Priority.P1))
    assert set(world.outcomes()) == set(world.asked) - {stumbled, follows}
    assert world.outcome(other) == "accepted"
    assert [letter["error"] for letter in letters(world, CASE_COMMANDS)] == [
        "RuntimeError: it stumbled ?",
        "the case is parked",
    ]
    assert world.case("OPS-1") == first
    mark = world.driver.state("cases", parked_key(aggregate_key(world.tenant_id, first.case_id)))
    assert mark == Parked(cause="RuntimeError: it stumbled ?", offset=mark.offset)


def test_signals_to_a_parked_case_and_those_that_park_it_end_in_a_receipt() -> None:
    world = stumbling()
    ops = world.project("OPS")
    opening = world.trigger(ops, summary="stumble")
    again = world.trigger(ops)
    assert world.receipt(opening) == "dead_lettered:fold_failed"
    assert world.receipt(again) == "dead_lettered:case_parked"
    assert world.cases() == []
    world.check()


@pytest.mark.parametrize("source", [None, Origin(topic=ALERT_SIGNALS, generation=1, partition=0, offset=7, n=0)])
def test_a_signal_that_cannot_be_folded_gets_its_receipt_whichever_way_it_came(
    world: World, ops: str, source: Origin | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("it stumbled")

    monkeypatch.setattr("streams.alerts.stage.decide", stumble)
    signal = world.trigger(ops, origin=source)
    assert world.receipt(signal) == "dead_lettered:fold_failed"
    monkeypatch.undo()
    assert world.receipt(world.trigger(ops)) == "folded"
    world.check()


def test_a_signal_that_intake_cannot_route_gets_its_receipt(
    world: World, ops: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("it stumbled")

    monkeypatch.setattr("streams.intake.stage.place", stumble)
    signal = world.trigger(ops)
    assert world.receipt(signal) == "dead_lettered:fold_failed"
    world.check()


def test_a_record_that_raises_late_in_a_batch_leaves_the_others_effects_whole() -> None:
    world = stumbling()
    ops = world.project("OPS")
    for _ in range(3):
        world.create(ops)
    cases = world.cases()
    for case, title in zip(cases, ("one", "stumble", "three"), strict=True):
        key = aggregate_key(world.tenant_id, case.case_id)
        world.driver.put(CASE_COMMANDS, key, world.envelope(case.case_id), ChangeTitle(title=Sealed.plain(title)))
    world.driver.run()
    assert [case.title.text for case in world.cases()] == ["one", "Help", "three"]
    assert len(letters(world, CASE_COMMANDS)) == 1
    world.check()


def test_a_row_that_cannot_be_read_ends_the_process_with_nothing_of_the_batch(world: World, ops: str) -> None:
    """Another version of the program wrote it: burying every command to it would be far worse."""
    world.create(ops)
    case = world.case("OPS-1")
    key = aggregate_key(world.tenant_id, case.case_id)
    for rows in world.driver.rows.values():
        if key.encode() in rows.rows:
            rows.rows[key.encode()] = Guard().encode(b"\0\0\0\xff\xffnewer")
    before = len(list(world.driver.records("case.events")))
    with pytest.raises(UnreadableRow):
        world.tell(case.case_id, ChangeStatus(status=Status.CLOSED))
    assert len(list(world.driver.records("case.events"))) == before
    assert letters(world, CASE_COMMANDS) == []


def test_a_fold_does_not_touch_the_state_that_it_was_given(world: World, ops: str) -> None:
    """States are decoded once and shared by the records of a batch: what one changes in place, all would see."""
    seen: list[tuple[bytes, Case]] = []

    class Watching(CasesStage):
        def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
            case = rows.get(key, Case)
            if case is not None:
                seen.append((codec.encode_row(case), case))
            return super().handle(key, envelope, body, rows)

    stages = tuple(replace(s, logic=Watching) if s.name == "cases" else s for s in TOPOLOGY.stages)
    watched = World(TopologyTestDriver(Topology(sources=TOPOLOGY.sources, stages=stages, sinks=TOPOLOGY.sinks)))
    project = watched.register().project("OPS")
    for action in (watched.trigger, watched.trigger, watched.acknowledge, watched.resolve):
        action(project, labels={"env": "prod"})
    assert len(seen) == 3
    assert all(codec.encode_row(case) == before for before, case in seen)
