"""What a row remembers survives its bytes, and knows what it has seen."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from streams.envelope import Origin
from streams.topics import ALERT_COMMANDS, ALERT_SIGNALS, CASE_COMMANDS, CASE_INTAKE, CASE_REACTIONS, CONFIG_COMMANDS
from topologies.guard import REMEMBERED, Guard, newer, split

topics = st.sampled_from([ALERT_SIGNALS, ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS, CASE_REACTIONS, CONFIG_COMMANDS])
shorts, offsets, numbers = st.integers(0, 65_535), st.integers(-1, 2**63 - 1), st.integers(0, 2**32 - 1)
ids = st.binary(min_size=16, max_size=16)
guards = st.builds(
    Guard,
    generation=shorts,
    offset=offsets,
    origins=st.dictionaries(st.tuples(topics, shorts, shorts), st.tuples(offsets, numbers), max_size=8),
    recent=st.lists(ids, max_size=REMEMBERED).map(tuple),
)
origins = st.builds(
    Origin,
    topic=topics,
    generation=st.integers(1, 2),
    partition=st.integers(0, 2),
    offset=st.integers(0, 9),
    n=st.integers(0, 2),
)


@given(guard=guards, state=st.binary(max_size=100))
def test_a_row_splits_into_what_it_was_made_of(guard: Guard, state: bytes) -> None:
    assert split(guard.encode(state)) == (guard, state)


@given(guard=guards, origin=st.one_of(st.none(), origins), command_id=ids, generation=shorts, offset=offsets)
def test_what_was_folded_is_known(
    guard: Guard, origin: Origin | None, command_id: bytes, generation: int, offset: int
) -> None:
    after = guard.after(generation, offset, origin, command_id)
    assert after.past(generation, offset)
    assert after.repeated(origin, command_id)
    assert split(after.encode(b""))[0] == after


@given(seen=st.lists(origins, max_size=20), next_one=origins)
def test_what_a_stage_made_is_taken_once_and_only_above_the_highest_of_its_partition(
    seen: list[Origin], next_one: Origin
) -> None:
    guard = Guard()
    for n, origin in enumerate(seen):
        if not guard.repeated(origin, n.to_bytes(16)):
            guard = guard.after(1, n, origin, n.to_bytes(16))
    same = [
        o
        for o in seen
        if (o.topic, o.generation, o.partition) == (next_one.topic, next_one.generation, next_one.partition)
    ]
    highest = max(((o.offset, o.n) for o in same), default=None)
    assert guard.repeated(next_one, b"\xff" * 16) is (highest is not None and (next_one.offset, next_one.n) <= highest)


@given(first=origins, later=origins, command_id=ids)
def test_a_signal_of_the_public_topic_is_known_by_its_id_wherever_it_stands(
    first: Origin, later: Origin, command_id: bytes
) -> None:
    """Its producer may write it twice, to any partition."""
    written = replace(first, topic=ALERT_SIGNALS)
    guard = Guard().after(1, 0, written, command_id)
    assert guard.repeated(replace(later, topic=ALERT_SIGNALS), command_id)
    assert guard.repeated(None, command_id)


@given(said=st.lists(ids, min_size=1, max_size=80, unique=True))
def test_the_last_commands_of_the_edge_are_remembered(said: list[bytes]) -> None:
    guard = Guard()
    for n, command_id in enumerate(said):
        guard = guard.after(1, n, None, command_id)
    assert guard.recent == tuple(said[-REMEMBERED:])
    assert all(guard.repeated(None, command_id) for command_id in said[-REMEMBERED:])


@given(old=guards, new=guards)
def test_the_newer_of_two_rows_is_that_of_the_later_record(old: Guard, new: Guard) -> None:
    later = (new.generation, new.offset) >= (old.generation, old.offset)
    assert newer(old.encode(b"old"), new.encode(b"new")) is later
