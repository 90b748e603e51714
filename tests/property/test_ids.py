"""Identities follow from what they are made of, and from nothing else."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from streams.envelope import Envelope, Origin
from streams.ids import aggregate_key, alert_id, derive, routing_hash
from tests.property.instances import envelopes

parts = st.lists(st.one_of(st.text(max_size=10), st.integers(0, 10**6)), max_size=3)


@given(parent=st.uuids(), said=parts)
def test_derive_is_uuid5(parent: UUID, said: list[str | int]) -> None:
    assert derive(str(parent), *said) == str(uuid5(parent, "/".join(map(str, said))))


@given(key=st.text(max_size=40), dedup_key=st.text(max_size=40))
def test_an_alert_is_named_by_a_hash_and_never_by_its_routing_key(key: str, dedup_key: str) -> None:
    assert routing_hash(key) == sha256(key.encode()).hexdigest()[:16]
    assert alert_id(routing_hash(key), dedup_key) == f"{routing_hash(key)}/{dedup_key}"
    assert aggregate_key("t", alert_id("h", dedup_key)) == f"t/h/{dedup_key}"


@given(command=envelopes(), n=st.integers(0, 5), depth=st.integers(0, 9))
def test_what_follows_from_a_command_names_it_and_is_told_apart(command: Envelope, n: int, depth: int) -> None:
    origin = Origin(topic="case.intake", generation=1, partition=0, offset=0, n=n)
    event = command.event(n, "an aggregate", version=3, source="stage.cases", last=True)
    made = command.command(n, aggregate_id="another", stage="cases", origin=origin, asks=False)
    for follows in (event, made):
        assert follows.tenant_id == command.tenant_id
        assert follows.correlation_id == command.correlation_id
        assert follows.causation_id == command.id
        assert follows.actor == command.actor
    assert (event.depth, made.depth) == (command.depth, command.depth + 1)
    assert (made.reply_by, event.reply_by) == (None, command.reply_by)
    assert command.command(n, aggregate_id="a", stage="cases", origin=origin, asks=True).reply_by == command.reply_by
    again = command.event(n, "an aggregate", version=3, source="stage.cases", last=True)
    assert again == event
    ids = {command.id, event.id, made.id, command.event(n + 1, "x", version=1, source="", last=True).id}
    assert len(ids) == 4
