"""What every projection sink promises, whatever it writes to."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from infra.runtime.errors import PoisonMessage
from schemas import codec
from schemas.codec import Undecodable, UnknownSchema
from schemas.state_hash import state_hash
from sinks.base import LOG_START, Entry, Fenced, Raw, Refused
from streams.cases.case import Case
from streams.cases.commands import ArchiveCase
from streams.ids import aggregate_key
from streams.topics import CASE_EVENTS
from tests.contract.sinks.stores import Store
from tests.fakes.story import Story, batches, entries, everything

PARTITIONS = 3


@cache
def story() -> Story:
    return everything(partitions=PARTITIONS)


def records() -> list[Raw]:
    return story().records(CASE_EVENTS)


def partition_of_most() -> list[Raw]:
    """Return the records of the partition that has most."""
    most = max(range(PARTITIONS), key=lambda p: sum(raw.partition == p for raw in records()))
    return [raw for raw in records() if raw.partition == most]


def in_some_order(chance: random.Random) -> list[Raw]:
    """Return the log as one of its readers may get it: partitions in any order, each of them in its own."""
    left: dict[int, list[Raw]] = defaultdict(list)
    for raw in records():
        left[raw.partition].append(raw)
    found = []
    while left:
        partition = chance.choice(sorted(left))
        found.append(left[partition].pop(0))
        if not left[partition]:
            del left[partition]
    return found


def feed(store: Store, log: list[Raw], size: int = 7) -> None:
    with closing(store.open()) as sink:
        sink.assigned(range(PARTITIONS))
        for batch in batches(log, size):
            sink.apply(entries(sink, batch))


def folded() -> dict[tuple[str, str], tuple[int, bytes]]:
    """Return what the stage itself holds of every case."""
    found = {}
    for decoded in story().driver.decoded(CASE_EVENTS):
        if isinstance(decoded.after, Case):
            tenant, case = decoded.envelope.tenant_id, decoded.envelope.aggregate_id
            state = story().driver.state("cases", aggregate_key(tenant, case))
            found[tenant, case] = (state.version, state_hash(state))
    return found


def refusable(at: Raw) -> Raw:
    """Return the record with a tenant that no store takes: it is no UUID, and longer than any key."""
    decoded = codec.decode(at.value)
    envelope = replace(decoded.envelope, tenant_id="no-uuid" * 100)
    value = codec.encode(envelope, decoded.body, codec.encode_row(decoded.after)[codec.HEADER_SIZE :])
    return at._replace(key=aggregate_key(envelope.tenant_id, envelope.aggregate_id).encode(), value=value)


def test_the_views_hold_what_the_fold_holds(store: Store) -> None:
    feed(store, records())

    assert store.cases() == folded()
    assert len(folded()) == 12


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_partitions_and_any_batches_give_the_same_views(
    make_store: Callable[[], Store], seed: int
) -> None:
    straight = make_store()
    feed(straight, records())
    expected = straight.everything()
    chance = random.Random(seed)
    other = make_store()

    feed(other, in_some_order(chance), chance.randint(1, 40))

    assert other.everything() == expected


def test_events_that_come_again_change_nothing(store: Store) -> None:
    feed(store, records())
    expected = store.everything()
    for partition in range(PARTITIONS):
        store.rewind(partition, 0)

    feed(store, records(), 50)

    assert store.everything() == expected


def test_stale_events_move_nothing_back(store: Store) -> None:
    feed(store, records())
    expected = store.everything()
    for partition in range(PARTITIONS):
        store.rewind(partition, 0)

    with closing(store.open()) as sink:
        sink.assigned(range(PARTITIONS))
        for partition in range(PARTITIONS):
            mine = [raw for raw in records() if raw.partition == partition]
            for batch in batches(mine[: len(mine) // 2], 3):
                sink.apply(entries(sink, batch))

    assert store.everything() == expected


def test_a_process_that_dies_is_followed_by_one_that_begins_where_it_was(store: Store) -> None:
    feed(store, [])
    for batch in batches(records(), 11):
        feed(store, batch)

    assert store.cases() == folded()


def test_a_refused_record_is_named_and_the_rest_can_be_applied(store: Store) -> None:
    log = partition_of_most()
    bad = next(at for at, raw in enumerate(log) if codec.decode(raw.value).after is not None and at > 2)
    log[bad] = refusable(log[bad])
    with closing(store.open()) as sink:
        sink.assigned(range(PARTITIONS))
        batch: list[Entry[Any]] = entries(sink, log)
        with pytest.raises(Refused) as refused:
            sink.apply(batch)
        named = [entry.raw.offset for entry, cause in refused.value.refused if cause]
        for entry, _ in refused.value.refused:
            entry.item = None
        sink.apply(batch)

    assert named == [bad]
    assert store.cases().keys() <= folded().keys()
    assert len(store.cases()) > 0


def test_dead_letters_only_move_the_position(store: Store) -> None:
    log = partition_of_most()
    with closing(store.open()) as sink:
        sink.assigned([log[0].partition])
        sink.apply([Entry(raw, None) for raw in log[:3]])
    after = store.everything()

    feed(store, log[3:])

    assert not store.cases().keys() - folded().keys()
    assert store.everything() != after


def test_it_says_where_to_begin(store: Store) -> None:
    log = partition_of_most()
    mine, other = log[0].partition, (log[0].partition + 1) % PARTITIONS
    with closing(store.open()) as sink:
        before = sink.assigned([mine, other])
        sink.apply(entries(sink, log[:5]))
    with closing(store.open()) as sink:
        after = sink.assigned([mine, other])

    if store.keeps_positions:
        assert before == {mine: LOG_START, other: LOG_START}
        assert after == {mine: 5, other: LOG_START}
    else:
        assert before == after == {mine: None, other: None}


def test_a_process_that_was_passed_by_another_writes_nothing(store: Store) -> None:
    if not store.keeps_positions:
        pytest.skip("the store keeps no positions, versions alone guard it")
    log = partition_of_most()
    with closing(store.open()) as zombie, closing(store.open()) as owner:
        zombie.assigned([log[0].partition])
        zombie.apply(entries(zombie, log[:3]))
        owner.assigned([log[0].partition])
        owner.apply(entries(owner, log[3:6]))
        before = store.everything()
        with pytest.raises(Fenced):
            zombie.apply(entries(zombie, log[3:]))

        assert store.everything() == before
        owner.apply(entries(owner, log[6:]))


def test_it_takes_only_records_of_its_topic(store: Store) -> None:
    command = codec.encode(codec.decode(records()[0].value).envelope, ArchiveCase())
    with closing(store.open()) as sink:

        def decode(value: bytes | None) -> Any:
            return sink.decode(records()[0]._replace(value=value))

        with pytest.raises(UnknownSchema):
            decode(b"\x00\x00\x01\x00\x00rest")
        for value in (None, b"", b"{}", b"\x00\x00\x00\x00", (records()[0].value or b"")[:-3]):
            with pytest.raises(Undecodable):
                decode(value)
        with pytest.raises(PoisonMessage):
            decode(command)


def test_idling_changes_nothing_that_is_new(store: Store) -> None:
    feed(store, records())
    before = store.everything()
    with closing(store.open()) as sink:
        sink.assigned([0])
        sink.idle()

    assert store.everything() == before
