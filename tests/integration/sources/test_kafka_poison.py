"""Poison in every position of `alert.signals`, which anybody may write to: each goes aside, the rest is taken once."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from infra.cli.operate.letter import headers_of
from schemas import codec
from schemas.letter import BYTES
from schemas.signal import AlertSignal
from streams.outcomes import Receipt
from tests.fakes.edge import KEY
from tests.integration.sources.conftest import Logs, Views, running

pytestmark = pytest.mark.engines

SOUND = codec.encode_row(AlertSignal(routing_key=KEY, action="trigger", dedup_key="sound", summary="sound"))
POISON: dict[str, bytes | None] = {
    "no value": None,
    "an empty value": b"",
    "JSON": b'{"routing_key": "x"}',
    "another framing": b"\1" + SOUND[1:],
    "a schema of tomorrow": b"\0\0\0\xff\xff" + SOUND[5:],
    "a body that is cut off": SOUND[:-3],
    "bytes behind the body": SOUND + b"\0",
    "a routing key of nobody": codec.encode_row(AlertSignal(routing_key="nobody", action="trigger", summary="x")),
    "an action that is none": codec.encode_row(AlertSignal(routing_key=KEY, action="explode", summary="x")),
    "a time of the far future": codec.encode_row(
        AlertSignal(routing_key=KEY, action="trigger", dedup_key="late", summary="x", starts_at=2**63 - 1)
    ),
    "a time before there were any": codec.encode_row(
        AlertSignal(routing_key=KEY, action="trigger", dedup_key="early", summary="x", starts_at=-(2**63))
    ),
    "a megabyte of nothing": b"\xa5" * 1_000_000,
}


def sound(name: str) -> bytes:
    return codec.encode_row(AlertSignal(routing_key=KEY, action="trigger", dedup_key=name, summary=name))


@pytest.mark.parametrize("position", ["first", "middle", "last", "the whole batch"])
def test_poison_in_a_batch_leaves_the_others_as_they_are(logs: Logs, views: Views, position: str) -> None:
    key = uuid.uuid4().bytes
    values = [] if position == "the whole batch" else [sound(f"alert/{n}") for n in range(8)]
    at = {"first": 0, "middle": 4, "last": 8}.get(position, 0)
    mixed = [*values[:at], *POISON.values(), *values[at:]]
    # One key: all of it stands in one partition, in this order.
    logs.send(*((key, value) for value in mixed), **{"message.max.bytes": 1_040_000})
    with running(logs, views.app) as ran:
        logs.await_committed(len(mixed))
        if position == "the whole batch":
            logs.send((key, sound("after")))
            logs.await_committed(len(mixed) + 1)
        assert ran.loop.ping() is None

    names = Counter(decoded.body.dedup_key for decoded in logs.commands())
    assert names == Counter(["after"] if not values else [f"alert/{n}" for n in range(8)])
    letters = logs.read(logs.topics.dead)
    assert Counter(letter.value() for letter in letters) == Counter(POISON.values())
    assert {int(headers_of(letter)["offset"]) for letter in letters} == set(range(at, at + len(POISON)))
    # Whose tenant is known, its signal is settled as well.
    settled = [codec.decode(event.value()).body for event in logs.read(logs.topics.events)]
    assert [event.receipt for event in settled] == 3 * [Receipt.REJECTED]


@pytest.mark.parametrize("codec_name", ["zstd", "gzip"])
def test_what_is_far_larger_than_the_broker_saw_is_a_letter_of_its_beginning(
    logs: Logs, views: Views, codec_name: str
) -> None:
    """A broker measures compressed records: a signal of 30 MB came in, whose letter could never be appended whole."""
    huge = codec.encode_row(AlertSignal(routing_key=KEY, action="trigger", dedup_key="huge", summary="x" * 30_000_000))
    limits = {"message.max.bytes": 100_000_000, "compression.type": codec_name}
    logs.send((b"k", sound("before")), (b"k", huge), (b"k", b"\xa5" * 30_000_000), (b"k", sound("after")), **limits)
    with running(logs, views.app):
        logs.await_committed(4)

    assert sorted(decoded.body.dedup_key for decoded in logs.commands()) == ["after", "before"]
    letters = {letter.value()[:1]: letter for letter in logs.read(logs.topics.dead)}  # type: ignore[index]
    assert letters.keys() == {huge[:1], b"\xa5"}
    for begin, whole in ((huge[:1], huge), (b"\xa5", b"\xa5" * 30_000_000)):
        letter = letters[begin]
        assert letter.value() == whole[: BYTES - 1]
        assert headers_of(letter)["cut"] == f"1+{len(whole)}"
    (settled,) = (codec.decode(event.value()).body for event in logs.read(logs.topics.events))
    assert (settled.receipt, settled.reason) == (Receipt.REJECTED, "limit.exceeded:summary")
