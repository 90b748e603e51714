"""What the codec refuses, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest

from schemas import codec
from schemas.reader import reader
from schemas.signal import AlertSignal
from schemas.state_hash import row_hash, state_hash
from schemas.varint import rest_of, varint
from schemas.writer import writer
from streams.alerts.alert import Alert
from streams.alerts.events import EpisodeAcknowledged
from streams.cases.case import AlertStatus, Status
from streams.cases.commands import ChangeStatus, ChangeTitle
from streams.text import Sealed
from tests.world import World

ENVELOPE = World().envelope("case")
VALUE = codec.encode(ENVELOPE, ChangeTitle(title=Sealed.plain("x")))
ALERT = Alert(
    alert_id="h/a",
    version=1,
    project_key="OPS",
    status=AlertStatus.TRIGGERED,
    episode=1,
    triggers=1,
    trigger_seq=1,
    opened_at=1,
    changed_at=1,
)
SIGNAL = codec.encode_row(AlertSignal(routing_key="R", action="trigger"))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "there is no value"),
        (b"", "0 bytes are too few"),
        (VALUE[:4], "4 bytes are too few"),
        (b"\1" + VALUE[1:], "the first byte is 1, not 0"),
        (VALUE + b"!", "1 bytes follow the cases/change_title"),
        (VALUE[:-1], "it is cut off|not a cases/change_title"),
        (VALUE[:5], "not a cases/change_title: IndexError"),
        (SIGNAL, "alerts/alert_signal is not a record of a topic"),
    ],
)
def test_what_is_no_record_says_why(value: bytes | None, says: str) -> None:
    with pytest.raises(codec.Undecodable, match=says):
        codec.decode(value)


def test_an_unknown_schema_is_told_apart_because_it_may_be_a_newer_writers() -> None:
    with pytest.raises(codec.UnknownSchema, match="schema id 99999 is not known here") as caught:
        codec.decode(b"\0" + (99_999).to_bytes(4, "big") + VALUE[5:])
    assert caught.value.schema_id == 99_999


def test_a_value_that_an_enum_does_not_know_is_undecodable() -> None:
    value = codec.encode(ENVELOPE, ChangeStatus(status=Status.CLOSED))
    with pytest.raises(codec.Undecodable, match="CLOSER"):
        codec.decode(value.replace(b"CLOSED", b"CLOSER"))


def test_a_row_is_not_a_record_and_a_record_is_not_a_row() -> None:
    assert codec.decode_row(SIGNAL) == AlertSignal(routing_key="R", action="trigger")
    with pytest.raises(codec.Undecodable, match="cases/change_title is not a row"):
        codec.decode_row(VALUE)
    for broken, says in ((SIGNAL + b"!", "follow the"), (SIGNAL[:-1], "not a alerts/alert_signal")):
        with pytest.raises(codec.Undecodable, match=says):
            codec.decode_row(broken)


def test_events_carry_their_state_and_nothing_else_does() -> None:
    state = codec.encode_row(ALERT)[codec.HEADER_SIZE :]
    assert codec.decode(codec.encode(ENVELOPE, EpisodeAcknowledged(), state)).after == ALERT
    with pytest.raises(ValueError, match="needs `after`"):
        codec.encode(ENVELOPE, EpisodeAcknowledged())
    with pytest.raises(ValueError, match="has no `after`"):
        codec.encode(ENVELOPE, ChangeTitle(title=Sealed.plain("x")), state)


def test_the_hash_of_a_state_is_that_of_its_bytes_on_the_wire() -> None:
    assert state_hash(ALERT) == sha256(codec.encode_row(ALERT)[5:]).digest()


def test_an_event_gives_the_bytes_of_its_state_as_a_row_has_them() -> None:
    row = codec.encode_row(ALERT)

    event = codec.decode(codec.encode(ENVELOPE, EpisodeAcknowledged(), row[codec.HEADER_SIZE :]))

    assert event.row() == row
    assert row_hash(event.row()) == state_hash(ALERT)


def test_a_record_is_named_by_its_schema() -> None:
    assert codec.name_of(ChangeTitle(title=Sealed.plain("x"))) == "cases/change_title"


@pytest.mark.parametrize("n", [2**63, -(2**63) - 1])
def test_an_integer_beyond_64_bits_cannot_be_written(n: int) -> None:
    with pytest.raises(OverflowError):
        varint(n)


@pytest.mark.parametrize("raw", [b"\xff" * 9 + b"\x7f", b"\xff" * 12])
def test_an_integer_beyond_64_bits_cannot_be_read(raw: bytes) -> None:
    with pytest.raises(ValueError, match="an integer of more than"):
        rest_of(raw, 1, raw[0])


def test_a_field_that_holds_what_its_type_forbids_cannot_be_written() -> None:
    with pytest.raises(AttributeError):
        codec.encode(ENVELOPE, ChangeTitle(title=None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "says"),
    [(b"\x03ab", "a negative length"), (b"\x02a\x04", "branch of a union"), (b"\x02a\x00\x02", "true")],
)
def test_bytes_that_no_writer_makes_are_refused(value: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        reader(_Small)(value, 0)


def test_a_type_without_avro_is_refused_when_its_functions_are_made() -> None:
    for make in (reader, writer):
        with pytest.raises(TypeError, match="no Avro for"):
            make(_Floating)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Small:
    name: str
    maybe: str | None
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Floating:
    at: float
