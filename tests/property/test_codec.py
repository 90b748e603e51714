"""Bytes and records are the same thing, for every record type and every version of its schema."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec, registry
from schemas.catalogue import RECORD_TYPES, RecordType
from schemas.convert import from_dict
from schemas.reader import reader
from schemas.varint import rest_of, varint
from streams.envelope import Envelope, Origin
from streams.outcomes import CommandUnchanged
from tests.plain import plain
from tests.property.instances import LONGS, TEXTS, of

TOPIC_RECORDS = [r for r in RECORD_TYPES if not r.bare]
ROWS = [r for r in RECORD_TYPES if r.bare]
# Of each of a hundred types; the compiled text is the same for all of them.
PARENT = UUID("c0ffee00-1111-5222-8333-444455556666")
FEW = settings(max_examples=8)


def name_of(record: RecordType) -> str:
    return record.name


def by_fastavro(record: RecordType, envelope: Envelope | None, body: Any, after: Any) -> bytes:
    version, schema_id = registry.versions(record.name)[-1]
    datum = plain(body)
    if envelope is not None:
        datum["envelope"] = plain(envelope)
    if after is not None:
        datum["after"] = plain(after)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(registry.plain_schema(record.name, version)), datum)
    return b"\0" + schema_id.to_bytes(4, "big") + out.getvalue()


@pytest.mark.parametrize("record", TOPIC_RECORDS, ids=name_of)
def test_a_record_decodes_to_itself_and_its_bytes_are_those_of_its_schema(record: RecordType) -> None:
    afters = st.none() if record.after is None else of(record.after)

    @FEW
    @given(envelope=of(Envelope), body=of(record.body), after=afters)
    def law(envelope: Envelope, body: Any, after: Any) -> None:
        state = b"" if after is None else codec.encode_row(after)[codec.HEADER_SIZE :]
        value = codec.encode(envelope, body, state)
        decoded = codec.decode(value)
        assert decoded == codec.Decoded(record.name, envelope, body, after)
        assert after is None or decoded.row() == codec.encode_row(after)
        assert value == by_fastavro(record, envelope, body, after)

    law()


@pytest.mark.parametrize("record", ROWS, ids=name_of)
def test_a_row_decodes_to_itself_and_its_bytes_are_those_of_its_schema(record: RecordType) -> None:
    @FEW
    @given(state=of(record.body))
    def law(state: Any) -> None:
        value = codec.encode_row(state)
        assert codec.decode_row(value) == state
        assert value == by_fastavro(record, None, state, None)

    law()


@pytest.mark.parametrize("record", [*TOPIC_RECORDS, *ROWS], ids=name_of)
def test_what_an_older_reader_path_reads_is_the_same(record: RecordType) -> None:
    @FEW
    @given(body=of(record.body))
    def law(body: Any) -> None:
        assert from_dict(record.body)(plain(body)) == body

    law()


@given(value=st.binary(max_size=300))
def test_any_bytes_decode_or_are_undecodable(value: bytes) -> None:
    with pytest.raises(codec.Undecodable):
        codec.decode(value)


@given(data=st.data())
def test_a_damaged_record_decodes_to_a_record_or_is_undecodable(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(TOPIC_RECORDS))
    after = b"" if record.after is None else codec.encode_row(data.draw(of(record.after)))[codec.HEADER_SIZE :]
    value = bytearray(codec.encode(data.draw(of(Envelope)), data.draw(of(record.body)), after))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(value) - 1))
        value[at] = data.draw(st.integers(0, 255))
    damaged = bytes(value[: data.draw(st.integers(0, len(value)))]) if data.draw(st.booleans()) else bytes(value)
    try:
        decoded = codec.decode(damaged)
    except codec.Undecodable:
        return
    assert isinstance(decoded.envelope, Envelope)


@given(n=LONGS)
def test_an_integer_reads_as_itself(n: int) -> None:
    value = varint(n)
    raw, end = (value[0], 1) if value[0] < 128 else rest_of(value, 1, value[0])
    assert (raw >> 1) ^ -(raw & 1) == n
    assert end == len(value) <= 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    texts: tuple[str, ...]
    named: Mapping[str, int]


def test_blocks_with_their_size_before_their_items_are_read_as_others_write_them() -> None:
    """Other writers split arrays and maps into blocks, and may put sizes before them."""
    texts = varint(-2) + varint(4) + b"\x02a\x02b" + varint(1) + b"\x02c" + b"\0"
    named = varint(-1) + varint(200) + b"\x02k" + varint(300) + b"\0"
    assert reader(Lists)(texts + named, 0) == (Lists(texts=("a", "b", "c"), named={"k": 300}), len(texts + named))


@given(command=of(Envelope), n=st.integers(0, 9), aggregate_id=TEXTS, last=st.booleans(), asks=st.booleans())
def test_a_record_that_follows_is_written_under_the_envelope_that_follows(
    command: Envelope, n: int, aggregate_id: str, *, last: bool, asks: bool
) -> None:
    command = dataclasses.replace(command, id=str(PARENT), depth=n)
    said = CommandUnchanged(command="x")
    event = command.event(n, aggregate_id, version=n, source="stage.x", last=last)
    assert codec.encode(event, said) == codec.encode_event(
        command, PARENT.bytes, n, aggregate_id, said, version=n, source="stage.x", last=last
    )
    origin = Origin(topic="t", generation=1, partition=2, offset=3, n=n)
    made = command.command(n, aggregate_id=aggregate_id, stage="x", origin=origin, asks=asks)
    assert codec.encode(made, said) == codec.encode_command(
        command, PARENT.bytes, n, said, aggregate_id=aggregate_id, stage="x", origin=origin, asks=asks
    )
