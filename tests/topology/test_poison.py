"""Poison in every position of every topic that a stage reads: it goes aside, and the others count exactly once.

The same words are said in two worlds. One of them has poison among the records of each stage's batch; what both
worlds come to must be the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from schemas import codec
from schemas.letter import BYTES
from streams.cases.case import Priority
from streams.cases.commands import AddComment, ChangePriority, ChangeTitle, OpenCase
from streams.config.changes import ProjectChanged
from streams.config.commands import DeleteProject
from streams.ids import aggregate_key
from streams.intake.project_intake import Counter as Numbers
from streams.text import Sealed
from streams.topics import (
    ALERT_COMMANDS,
    ALERT_EVENTS,
    CASE_COMMANDS,
    CASE_EVENTS,
    CASE_INTAKE,
    CASE_REACTIONS,
    CONFIG_COMMANDS,
    CONFIG_EVENTS,
)
from tests.world import World
from topologies.graph import TOPOLOGY
from topologies.guard import split
from topologies.partition import partition_of
from topologies.step import Outgoing
from topologies.testing import TopologyTestDriver

TOPICS = [CONFIG_COMMANDS, ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS, CASE_REACTIONS]
STAGE_OF = {stage.reads: stage for stage in TOPOLOGY.stages}
OUTPUTS = [CASE_EVENTS, ALERT_EVENTS, CONFIG_EVENTS, CASE_REACTIONS]
PARTITIONS = 4

Bad = tuple[bytes | None, bytes | None]
"""Key and value."""


def _case(world: World) -> tuple[bytes, bytes]:
    """A command to a case that nobody opened, as key and value: sound, for `cases` alone."""
    envelope = world.envelope("11111111-2222-4333-8444-555555555555")
    key = aggregate_key(world.tenant_id, envelope.aggregate_id).encode()
    return key, codec.encode(envelope, ChangeTitle(title=Sealed.plain("poison")))


def _renamed(world: World, **changed: Any) -> Bad:
    """A command whose envelope says otherwise than its key."""
    key, value = _case(world)
    decoded = codec.decode(value)
    return key, codec.encode(replace(decoded.envelope, **changed), decoded.body)


KINDS: dict[str, Callable[[World], Bad]] = {
    "no key": lambda w: (None, _case(w)[1]),
    "an empty key": lambda w: (b"", _case(w)[1]),
    "a key that is no text": lambda w: (b"\xff\xfe", _case(w)[1]),
    "no value": lambda w: (_case(w)[0], None),
    "an empty value": lambda w: (_case(w)[0], b""),
    "another framing": lambda w: (_case(w)[0], b"{}" + _case(w)[1]),
    "a schema of tomorrow": lambda w: (_case(w)[0], b"\0\0\0\xff\xff" + _case(w)[1][5:]),
    "a body that is cut off": lambda w: (_case(w)[0], _case(w)[1][:-3]),
    "a body cut off within its envelope": lambda w: (_case(w)[0], _case(w)[1][:40]),
    "bytes behind the body": lambda w: (_case(w)[0], _case(w)[1] + b"\0"),
    "the state of a row": lambda w: (_case(w)[0], codec.encode_row(Numbers(last_number=7))),
    "a megabyte of nothing": lambda w: (_case(w)[0], b"\xa5" * 1_000_000),
    "another tenant": lambda w: _renamed(w, tenant_id="22222222-2222-4222-8222-222222222222"),
    "no tenant": lambda w: _renamed(w, tenant_id=""),
    "another aggregate": lambda w: _renamed(w, aggregate_id="another"),
    "an id that is no UUID": lambda w: _renamed(w, id="poison"),
}


def said(world: World) -> World:
    """Say a little of everything, each stage's part at once and folded as few batches."""
    ops = world.project("OPS")
    dev = world.project("DEV")
    for n in range(6):
        world.trigger(ops, f"disk/{n}", run=False)
        world.trigger(dev, f"cpu/{n}", key="DEV", run=False)
    for n in range(6):
        world.acknowledge(ops, f"disk/{n}", run=False)
    return world


def told(world: World) -> None:
    """Answer what the signals came to, with commands of people."""
    for case in world.cases():
        for body in (ChangePriority(priority=Priority.P1), AddComment(message=Sealed.plain("looking"))):
            key = aggregate_key(world.tenant_id, case.case_id)
            world.driver.put(CASE_COMMANDS, key, world.envelope(case.case_id), body)


def insert(driver: TopologyTestDriver, topic: str, position: str, bad: Sequence[Bad]) -> int:
    """Put poison among the records of a topic that are not folded yet. Returns how many records of it."""
    stage = STAGE_OF[topic]
    count = 0
    for partition in range(driver.partitions):
        log, at = driver.logs[topic, partition], driver.positions[stage.name, partition]
        fresh = log[at:]
        poison = [Outgoing(topic, partition, key, value) for key, value in bad]
        match position:
            case "first":
                fresh = [*poison, *fresh]
            case "middle":
                fresh = [*fresh[: len(fresh) // 2], *poison, *fresh[len(fresh) // 2 :]]
            case "last":
                fresh = [*fresh, *poison]
            case _:
                # Between any two, and so many that some batches hold nothing else.
                fresh = [record for one in fresh for record in (*poison, one)] + poison
        count += len(fresh) - len(log[at:])
        log[at:] = fresh
    return count


def come_to(driver: TopologyTestDriver, *, but: str = "") -> dict[str, Counter[tuple[Any, ...]]]:
    """What the events topics say, without where it stood, and how often. but: a topic with poison in it."""
    return {
        topic: Counter(
            (d.envelope.aggregate_id, d.envelope.version, d.envelope.id, repr(d.body), repr(d.after))
            for d in driver.decoded(topic)
        )
        for topic in OUTPUTS
        if topic != but
    }


def states(driver: TopologyTestDriver) -> dict[tuple[str, int, bytes], bytes]:
    """Every row's state, without the guard, which says where its last record stood."""
    return {
        (stage, partition, key): split(row)[1]
        for (stage, partition), rows in driver.rows.items()
        for key, row in rows.rows.items()
    }


@cache
def clean(partitions: int = PARTITIONS) -> World:
    world = said(World(TopologyTestDriver(partitions=partitions)).register())
    world.driver.run()
    told(world)
    world.driver.run()
    return world


def poisoned(
    topic: str, position: str, kinds: Sequence[str], *, partitions: int = PARTITIONS, batch: int = 500
) -> World:
    """The same words with poison in a topic, each time before its stage folds. Asserts that all of it goes aside."""
    world = World(TopologyTestDriver(partitions=partitions, batch=batch)).register()
    apart = World(TopologyTestDriver(partitions=1))
    apart._said, apart.tenant_id = 1_000_000, world.tenant_id
    bad = [KINDS[kind](apart) for kind in kinds]
    inserted = insert(world.driver, topic, position, bad)
    said(world)
    for _ in range(2):
        for stage in TOPOLOGY.stages:
            if stage.reads == topic:
                inserted += insert(world.driver, topic, position, bad)
            while world.driver.step(stage.name):
                pass
        world.driver.run()
        if world.cases() and not any(case.comments for case in world.cases()):
            told(world)
    world.driver.run()
    letters = list(world.driver.records(STAGE_OF[topic].dead_letters))
    assert Counter((r.key, r.value) for r in letters) == Counter({one: inserted // len(bad) for one in bad})
    headers = [dict(letter.headers) for letter in letters]
    assert all(said["topic"] == topic.encode() and said["error"] for said in headers)
    assert all(
        world.driver.logs[topic, int(said["partition"])][int(said["offset"])].value == letter.value
        for said, letter in zip(headers, letters, strict=True)
    )
    return world


@pytest.mark.parametrize("position", ["first", "middle", "last", "between all"])
@pytest.mark.parametrize("topic", TOPICS)
def test_poison_of_all_kinds_in_a_batch_leaves_the_others_as_they_are(topic: str, position: str) -> None:
    world = poisoned(topic, position, list(KINDS))
    assert come_to(world.driver, but=topic) == come_to(clean().driver, but=topic)
    assert states(world.driver) == states(clean().driver)
    world.check()


@pytest.mark.parametrize("topic", TOPICS)
def test_a_batch_of_nothing_but_poison_is_passed(topic: str) -> None:
    # In one partition, whose order is the same however it is cut into batches.
    world = poisoned(topic, "between all", list(KINDS), partitions=1, batch=3)
    assert come_to(world.driver, but=topic) == come_to(clean(1).driver, but=topic)
    world.check()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_poison_goes_aside_by_itself(kind: str) -> None:
    world = poisoned(CASE_COMMANDS, "middle", [kind])
    assert come_to(world.driver) == come_to(clean().driver)
    world.check()


def test_the_words_come_to_something_in_every_topic() -> None:
    """A matrix over empty batches would prove nothing."""
    assert len(clean().cases()) == 12
    assert all(sum(counted.values()) > 2 for counted in come_to(clean().driver).values())
    assert clean().driver.causes == []


# -- a record in a partition that is not its key's ---------------------------------------------------------------------


def astray(driver: TopologyTestDriver, record: Outgoing) -> Outgoing:
    at = partition_of(record.key or b"", driver.partitions)
    return record._replace(partition=(at + 1) % driver.partitions)


def test_a_command_in_the_wrong_partition_makes_no_second_row_of_its_key(world: World, ops: str) -> None:
    world.create(ops)
    case = world.case("OPS-1")
    key = aggregate_key(world.tenant_id, case.case_id)
    value = codec.encode(world.envelope(case.case_id), ChangeTitle(title=Sealed.plain("astray")))
    before = {at: dict(rows.rows) for at, rows in world.driver.rows.items() if at[0] == "cases"}

    world.driver.append(astray(world.driver, Outgoing(CASE_COMMANDS, None, key.encode(), value)))
    world.driver.run()

    (letter,) = world.driver.records(STAGE_OF[CASE_COMMANDS].dead_letters)
    assert letter.value == value
    assert dict(letter.headers)["error"].startswith(b"wrong_partition")
    after = {at: dict(rows.rows) for at, rows in world.driver.rows.items() if at[0] == "cases" and rows.rows}
    assert after == {at: rows for at, rows in before.items() if rows}
    assert world.case("OPS-1") == case
    world.check()


def test_a_signal_in_the_wrong_partition_is_settled_and_opens_nothing(world: World, ops: str) -> None:
    signal = world.trigger(ops, run=False)
    (record,) = [r for r in world.driver.records(ALERT_COMMANDS) if b"/" in (r.key or b"")]
    world.driver.logs[ALERT_COMMANDS, record.partition or 0].remove(record)
    world.driver.append(astray(world.driver, record))
    world.driver.run()

    assert world.receipt(signal) == "dead_lettered:wrong_partition"
    assert world.cases() == []
    world.check()


def test_an_opening_in_the_wrong_partition_opens_no_second_case(world: World, ops: str) -> None:
    """The row of the case is elsewhere, so the guard that knows the command is as well."""
    world.create(ops)
    case = world.case("OPS-1")
    opening = next(r for r in world.driver.records(CASE_COMMANDS) if isinstance(codec.decode(r.value).body, OpenCase))

    world.driver.append(astray(world.driver, opening))
    world.driver.run()

    assert len(list(world.driver.records(STAGE_OF[CASE_COMMANDS].dead_letters))) == 1
    assert world.events()[case.case_id] == [d for d in world.events()[case.case_id] if d.envelope.version == 1]
    assert world.cases() == [case]


def test_configuration_belongs_to_every_partition(world: World, ops: str) -> None:
    held = {
        partition
        for partition in range(world.driver.partitions)
        for key in world.driver.rows["intake", partition].rows
        if key.startswith(f"{world.tenant_id}|project/".encode())
    }
    assert held == set(range(world.driver.partitions))
    assert world.driver.causes == []
    assert ops


@pytest.mark.parametrize("topic", [ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS])
def test_a_tenant_alone_is_the_key_of_configuration_only(world: World, ops: str, topic: str) -> None:
    """A signal under the tenant's key would be folded in whatever partition it stands in."""
    envelope = world.envelope(world.tenant_id)
    world.driver.pipe(topic, world.tenant_id, envelope, ChangeTitle(title=Sealed.plain(ops)))
    (letter,) = world.driver.records(STAGE_OF[topic].dead_letters)
    assert b"the key is not that of" in dict(letter.headers)["error"]


def test_configuration_under_another_key_is_not_taken(world: World, ops: str) -> None:
    told = next(
        codec.decode(r.value)
        for r in world.driver.records(CASE_INTAKE)
        if isinstance(codec.decode(r.value).body, ProjectChanged)
    )
    envelope = replace(told.envelope, aggregate_id="OPS", origin=None)
    world.driver.pipe(CASE_INTAKE, f"{world.tenant_id}/OPS", envelope, told.body)
    assert len(list(world.driver.records(STAGE_OF[CASE_INTAKE].dead_letters))) == 1
    assert world.outcome(world.create(ops)) == "accepted"


def test_a_record_of_another_topic_parks_no_case(world: World, ops: str) -> None:
    """It is not the case that cannot be folded: whoever wrote here was wrong."""
    world.create(ops)
    case = world.case("OPS-1")
    key = aggregate_key(world.tenant_id, case.case_id)
    world.driver.pipe(CASE_COMMANDS, key, world.envelope(case.case_id), DeleteProject(project_id=ops))
    assert len(list(world.driver.records(STAGE_OF[CASE_COMMANDS].dead_letters))) == 1
    assert world.outcome(world.tell(case.case_id, ChangePriority(priority=Priority.P1))) == "accepted"
    world.check()


def test_a_record_larger_than_any_topic_takes_is_a_letter_of_its_beginning(world: World, ops: str) -> None:
    """It came in compressed; its letter, sent whole, would end the process again and again."""
    whole = b"\xa5" * 5_000_000
    world.driver.pipe_bytes(CASE_COMMANDS, b"key", whole)
    (letter,) = world.driver.records(STAGE_OF[CASE_COMMANDS].dead_letters)
    assert letter.value == whole[: BYTES - 3]
    assert dict(letter.headers)["cut"] == b"3+5000000"
    assert world.outcome(world.create(ops)) == "accepted"


def test_every_topic_that_a_stage_reads_is_poisoned() -> None:
    assert set(TOPICS) == set(STAGE_OF)
