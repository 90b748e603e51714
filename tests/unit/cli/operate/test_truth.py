"""What the log says of every case, and what a view may have otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.cli.operate.truth import Difference, Name, State, Truth, differences
from schemas import codec
from schemas.state_hash import state_hash
from streams.cases.case import Priority
from streams.cases.commands import ChangePriority
from streams.ids import aggregate_key
from tests.world import World


@pytest.fixture(scope="module")
def world() -> World:
    world = World().register()
    ops = world.project("OPS")
    for _ in range(3):
        world.create(ops)
    for case in world.cases():
        world.tell(case.case_id, ChangePriority(priority=Priority.P1))
        world.tell(case.case_id, ChangePriority(priority=Priority.P1))
    return world


def values(world: World) -> list[bytes]:
    return [record.value or b"" for record in world.driver.records("case.events")]


def folded(records: list[bytes], *, key: bytes | None = None) -> Truth:
    """key: of all of them, where it is not the one that each says itself."""
    truth = Truth()
    for n, value in enumerate(records):
        truth.add(key_of(value) if key is None else key, value, f"case.events/0:{n}")
    return truth


def key_of(value: bytes) -> bytes:
    try:
        told = codec.decode(value).envelope
    except codec.Undecodable:
        return b""
    return aggregate_key(told.tenant_id, told.aggregate_id).encode()


def test_the_truth_is_every_case_at_its_last_version(world: World) -> None:
    truth = folded(values(world))
    assert truth.faults == []
    assert truth.states() == {
        Name(world.tenant_id, case.case_id): State(2, state_hash(case).hex()) for case in world.cases()
    }


def test_an_event_that_is_there_twice_counts_once(world: World) -> None:
    once = values(world)
    truth = folded([value for value in once for _ in range(2)])
    assert (truth.faults, truth.states()) == ([], folded(once).states())


def test_a_missing_event_and_one_that_carries_another_state_are_faults(world: World) -> None:
    own = [v for v in values(world) if codec.decode(v).envelope.aggregate_id == world.cases()[0].case_id]
    assert "has version 2, expected 1" in folded(own[1:]).faults[0]
    opened = codec.decode(own[0])
    forged = codec.encode_row(replace(opened.after, number=99))[codec.HEADER_SIZE :]
    assert "carries is not the fold" in folded([codec.encode(opened.envelope, opened.body, forged)]).faults[0]


def test_what_nothing_can_decode_is_passed_over_as_every_reader_does_but_a_foreign_schema_is_a_fault() -> None:
    garbage, foreign = folded([b""]), folded([b"\x00\x00\x00\xff\xff"])

    assert "bytes are too few" in garbage.unread[0]
    assert (garbage.faults, garbage.states()) == ([], {})
    assert "is not known here" in foreign.faults[0]


def test_what_stands_under_a_foreign_key_is_passed_over_as_every_view_does(world: World) -> None:
    truth = folded(values(world)[:1], key=b"another/case")

    assert "the key is not that of" in truth.unread[0]
    assert (truth.faults, truth.states()) == ([], {})


A, B = Name("t", "a"), Name("t", "b")
ONE, TWO, OTHER = State(1, "aa"), State(2, "bb"), State(1, "cc")


@pytest.mark.parametrize(
    ("log", "view", "said"),
    [
        (ONE, None, "missing, the log has version 1"),
        (None, TWO, "version 2 is of no event"),
        (TWO, ONE, "version 1, the log has 2"),
        (ONE, OTHER, "the same version with another state"),
    ],
)
def test_a_difference_is_told_in_words(log: State | None, view: State | None, said: str) -> None:
    found = differences(
        {B: ONE, **({A: log} if log else {})},
        {B: ONE, **({A: view} if view else {})},
    )
    assert found == [Difference(name=A, log=log, view=view)]
    assert found[0].said == said


def test_the_same_is_no_difference() -> None:
    assert differences({A: ONE, B: TWO}, {B: TWO, A: ONE}) == []
