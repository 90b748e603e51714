"""Dead letters, their marks, what a redrive would do, and what is shown of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Message

from infra.cli.operate.letter import BEGUN, MARK, REDRIVEN, Letter, letters_of, mark_of
from infra.cli.operate.letter_view import document
from infra.cli.operate.log import Place
from infra.cli.operate.plan import plan
from schemas import codec
from schemas.signal import AlertSignal
from streams.cases.commands import ChangeTitle
from streams.config.commands import BindRoutingKey
from streams.envelope import Envelope
from streams.parked import UnparkCase
from streams.text import Sealed
from streams.topics import ALERT_SIGNALS, CASE_COMMANDS, CONFIG_COMMANDS
from topologies.runner import ASTRAY, MISNAMED

DEAD = Place("worker.stage.cases.dlq", 1)
IDS = [f"0190f5a2-0000-7000-8000-00000000000{n}" for n in range(10)]


def command(n: int, case: str = "a") -> bytes:
    envelope = Envelope(
        tenant_id="t",
        aggregate_id=case,
        id=IDS[n],
        correlation_id=IDS[n],
        source="api",
        actor="user:ada",
        occurred_at=1,
        recorded_at=1,
    )
    return codec.encode(envelope, ChangeTitle(title=Sealed.plain(f"title {n}")))


def letter(
    offset: int, value: bytes | None, *, key: bytes | None = b"t/a", at: int = 100, topic: str = CASE_COMMANDS
) -> Letter:
    return Letter(
        place=DEAD,
        offset=offset,
        key=key,
        value=value,
        timestamp=1_900_000_000_000,
        topic=topic,
        partition=1,
        at=at + offset,
        cause="it stumbled",
    )


def message(offset: int, value: bytes, headers: dict[str, str] | None = None) -> Message:
    given: dict[str, str | bytes | None] = {name: text.encode() for name, text in (headers or {}).items()}
    return Message(topic=DEAD.topic, partition=DEAD.partition, offset=offset, key=b"t/a", value=value, headers=given)


def test_what_is_marked_as_redriven_is_pending_no_more() -> None:
    stood = {"topic": CASE_COMMANDS, "partition": "1", "error": "it stumbled"}
    found = letters_of(
        [
            message(0, b"x", {**stood, "offset": "7"}),
            message(1, b"y", {**stood, "offset": "8"}),
            message(2, b"z", {**stood, "offset": "9"}),
            message(3, mark_of([0, 1], end=40), {MARK: BEGUN}),
            message(4, mark_of([0]), {MARK: REDRIVEN}),
        ]
    )[DEAD]
    assert [(at.offset, at.topic, at.partition, at.at) for at in found.pending] == [
        (1, CASE_COMMANDS, 1, 8),
        (2, CASE_COMMANDS, 1, 9),
    ]
    assert found.begun == {1: 40}


def test_a_letter_without_headers_is_a_letter_that_cannot_be_redriven() -> None:
    (found,) = letters_of([message(0, b"x")])[DEAD].pending
    planned = plan([found], parks=False)
    assert planned.deeds == ()
    assert [why for _, why in planned.hopeless] == ["it does not say where it stood"]


def test_a_case_is_unparked_once_before_its_first_letter_and_the_order_stays() -> None:
    letters = [
        letter(0, command(0)),
        letter(1, command(1, "b"), key=b"t/b"),
        letter(2, command(2)),
    ]
    deeds = plan(letters, parks=True).deeds
    bodies = [codec.decode(deed.value) for deed in deeds]
    assert [(type(d.body).__name__, d.envelope.aggregate_id) for d in bodies] == [
        ("UnparkCase", "a"),
        ("ChangeTitle", "a"),
        ("UnparkCase", "b"),
        ("ChangeTitle", "b"),
        ("ChangeTitle", "a"),
    ]
    assert [deed.key for deed in deeds] == [b"t/a", b"t/a", b"t/b", b"t/b", b"t/a"]
    assert all((deed.topic, deed.partition) == (CASE_COMMANDS, 1) for deed in deeds)
    assert bodies[0].body == UnparkCase()
    assert bodies[0].envelope.actor == "system:operator"
    assert [type(codec.decode(deed.value).body) for deed in plan(letters, parks=False).deeds] == [ChangeTitle] * 3


def test_a_record_that_was_buried_twice_is_said_once_and_settles_both() -> None:
    (deed,) = plan([letter(0, command(0)), letter(5, command(0))], parks=False).deeds
    assert [at.offset for at in deed.letters] == [0, 5]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"not avro", "the first byte is 110, not 0"),
        (None, "there is no value"),
        (codec.encode_row(AlertSignal(routing_key="r" * 1_000_001, action="trigger")), "over the limit of 1000000"),
    ],
)
def test_what_would_come_back_is_left_with_the_reason(value: bytes | None, why: str) -> None:
    topic = ALERT_SIGNALS if value and len(value) > 10 else CASE_COMMANDS
    planned = plan([letter(0, value, topic=topic)], parks=True)
    assert planned.deeds == ()
    assert [why in said for _, said in planned.hopeless] == [True]


def test_secrets_and_what_people_wrote_are_not_shown() -> None:
    signal = AlertSignal(routing_key="SECRET-R0UTE", action="trigger", summary="Anna is ill", labels={"who": "anna"})
    value = codec.encode_row(signal)
    for raw in ("hex", "base64"):
        shown = json.dumps(document(letter(0, value, topic=ALERT_SIGNALS), raw=raw))
        assert "SECRET-R0UTE" not in shown
        assert b"SECRET-R0UTE".hex() not in shown
    assert "Anna" not in json.dumps(document(letter(0, value, topic=ALERT_SIGNALS)))
    with_text: dict[str, Any] = document(letter(0, value, topic=ALERT_SIGNALS), text=True)["body"]
    assert (with_text["summary"], with_text["routing_key"]) == ("Anna is ill", "***")
    bound = codec.encode(codec.decode(command(0)).envelope, BindRoutingKey(digest="d1g3st", project_id="p"))
    assert "d1g3st" not in json.dumps(document(letter(0, bound, topic=CONFIG_COMMANDS), text=True, raw="base64"))


def test_a_letter_shows_where_it_stood_and_what_it_says() -> None:
    shown = document(letter(3, command(1)), raw="hex")
    assert (shown["letter"], shown["topic"], shown["partition"], shown["offset"]) == ("1:3", CASE_COMMANDS, 1, 103)
    assert shown["schema"] == "cases/change_title"
    assert shown["envelope"]["actor"] == "user:ada"
    assert shown["body"] == {"title": "[7 bytes of text]"}
    assert bytes.fromhex(shown["raw"]) == command(1)
    assert document(letter(3, b"\1bad"))["undecodable"] == "4 bytes are too few for a record"


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (f"{ASTRAY}: the key belongs to another partition, by murmur2", "append it by a producer"),
        (f"Poisoned: {MISNAMED} 'a' of tenant 't'", "its key is not that of its value"),
    ],
)
def test_a_letter_that_stood_where_it_cannot_be_taken_is_not_put_there_again(cause: str, why: str) -> None:
    """Nor is its case unparked there: that command would become a letter as well."""
    found = plan([replace(letter(0, command(0)), cause=cause)], parks=True)

    assert found.deeds == ()
    assert why in found.hopeless[0][1]
