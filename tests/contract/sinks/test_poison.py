"""Poison in every position of a batch: a sink takes none of it, and all of the rest, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from infra.runtime.errors import PoisonMessage
from schemas import codec
from schemas.codec import Undecodable, UnknownSchema
from sinks.base import Entry, ProjectionSink, Raw, Refused
from streams.cases.case import Case
from streams.cases.commands import ArchiveCase
from streams.ids import aggregate_key
from streams.topics import CASE_EVENTS
from tests.contract.sinks.stores import Store
from tests.fakes.story import Story, batches, everything

PARTITIONS = 3


@cache
def story() -> Story:
    return everything(partitions=PARTITIONS)


def records() -> list[Raw]:
    return story().records(CASE_EVENTS)


@cache
def some() -> Raw:
    """An event of a case that has several."""
    return next(raw for raw in records() if isinstance(codec.decode(raw.value).after, Case))


def told(*, key: bool = False, **changed: Any) -> Raw:
    """The event with another envelope. key: whether its key says the same."""
    decoded = codec.decode(some().value)
    envelope = replace(decoded.envelope, **changed)
    value = codec.encode(envelope, decoded.body, codec.encode_row(decoded.after)[codec.HEADER_SIZE :])
    named = aggregate_key(envelope.tenant_id, envelope.aggregate_id).encode()
    return some()._replace(value=value, key=named if key else some().key)


def value() -> bytes:
    return some().value or b""


ANOTHER = "22222222-2222-4222-8222-222222222222"
KINDS: dict[str, Callable[[], Raw]] = {
    "no key": lambda: some()._replace(key=None),
    "an empty key": lambda: some()._replace(key=b""),
    "a key that is no text": lambda: some()._replace(key=b"\xff\xfe"),
    "the key of its tenant alone": lambda: some()._replace(key=codec.decode(value()).envelope.tenant_id.encode()),
    "no value": lambda: some()._replace(value=None),
    "an empty value": lambda: some()._replace(value=b""),
    "another framing": lambda: some()._replace(value=b"{}" + value()),
    "a body that is cut off": lambda: some()._replace(value=value()[:-3]),
    "bytes behind the body": lambda: some()._replace(value=value() + b"\0"),
    "a megabyte of nothing": lambda: some()._replace(value=b"\xa5" * 1_000_000),
    "a command": lambda: some()._replace(value=codec.encode(codec.decode(value()).envelope, ArchiveCase())),
    "another tenant than its key": lambda: told(tenant_id=ANOTHER),
    "another aggregate than its key": lambda: told(aggregate_id=ANOTHER),
    "another aggregate than its state": lambda: told(key=True, aggregate_id=ANOTHER),
    "another version than its state": lambda: told(version=99),
    "no version": lambda: told(version=None),
}


@cache
def bad() -> list[Raw]:
    """One of each kind, and one that the store itself refuses."""
    return [*(kind() for kind in KINDS.values()), told(key=True, tenant_id="no-uuid" * 100)]


def placed(position: str, log: Sequence[Raw]) -> list[Raw]:
    """A log with poison in it, at offsets of its own; each partition's are adjacent."""
    cut = {"first": 0, "middle": len(log) // 2, "last": len(log)}
    if position in cut:
        at = cut[position]
        mixed = [*log[:at], *bad(), *log[at:]]
    else:
        mixed = [*bad(), *(raw for one in log for raw in (one, *bad()))]
    return [raw._replace(offset=n, partition=log[0].partition) for n, raw in enumerate(mixed)]


def feed(sink: ProjectionSink[Any], log: Sequence[Raw]) -> int:
    """Apply a batch as the loop does. Returns how many of its records are dead letters."""
    taken: list[Entry[Any]] = []
    dead = 0
    for raw in log:
        try:
            taken.append(Entry(raw, sink.decode(raw)))
        except (PoisonMessage, Undecodable):
            taken.append(Entry(raw, None))
            dead += 1
    while True:
        try:
            sink.apply(taken)
        except Refused as refused:
            dead += len(refused.refused)
            for entry, _ in refused.refused:
                entry.item = None
        else:
            return dead


def fed(store: Store, position: str) -> Store:
    logs = [[raw for raw in records() if raw.partition == p] for p in range(PARTITIONS)]
    with closing(store.open()) as sink:
        sink.assigned(range(PARTITIONS))
        for log in logs:
            mixed = placed(position, log)
            for batch in batches(mixed, len(bad()) if position == "whole batches" else len(mixed)):
                feed(sink, batch)
    return store


@pytest.mark.parametrize("position", ["first", "middle", "last", "whole batches"])
def test_poison_leaves_the_views_of_the_others_as_they_are(make_store: Callable[[], Store], position: str) -> None:
    clean = make_store()
    with closing(clean.open()) as sink:
        sink.assigned(range(PARTITIONS))
        for partition in range(PARTITIONS):
            assert feed(sink, [raw for raw in records() if raw.partition == partition]) == 0
    cases = clean.cases()

    store = fed(make_store(), position)

    assert len(cases) == 12
    assert store.cases() == cases


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_poison_is_told_from_an_event(store: Store, kind: str) -> None:
    with closing(store.open()) as sink, pytest.raises((PoisonMessage, Undecodable)) as told:
        sink.decode(KINDS[kind]())
    assert not isinstance(told.value, UnknownSchema)
    with closing(store.open()) as sink:
        assert sink.decode(some()) is not None


def test_a_schema_of_tomorrow_is_no_poison(store: Store) -> None:
    with closing(store.open()) as sink, pytest.raises(UnknownSchema):
        sink.decode(some()._replace(value=b"\0\0\0\xff\xff" + value()[5:]))
