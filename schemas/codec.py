"""Bytes to records and back: byte 0, a 4-byte big-endian schema id, then Avro binary.

The framing is the one that Kafka tools know. Decoding uses the writer's schema; only an old version is upcast.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import fastavro

from schemas import registry
from schemas.catalogue import RECORD_TYPES, RecordType
from schemas.convert import from_dict, to_dict
from streams.envelope import Envelope

_HEADER: Final = struct.Struct(">bI")


class Undecodable(Exception):  # noqa: N818 - the four families of errors end in no suffix
    """The bytes are not a record of any schema that is known here."""


class UnknownSchema(Undecodable):
    """The schema id is not known here: a newer writer, or not ours."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema id {schema_id} is not known here")
        self.schema_id = schema_id


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record: its type's name ("cases/case_opened"), envelope, body and, on events, the state after it."""

    name: str
    envelope: Envelope
    body: Any
    after: Any = None


class _Wire:
    """What encoding and decoding one schema takes, made once."""

    __slots__ = ("after", "from_body", "header", "reader", "record", "schema", "short", "to_body")

    def __init__(self, record: RecordType, schema_id: int, schema: dict[str, Any], reader: Any) -> None:
        self.record = record
        # Today's schema where this is an old version of it: Avro then fills what the writer did not know.
        self.reader = reader
        self.header = _HEADER.pack(0, schema_id)
        self.schema = fastavro.parse_schema(schema)
        # `after` is the last field, so its bytes are appended as they are: encoded once for event and row.
        fields = [f for f in schema["fields"] if f["name"] != "after"]
        self.short = fastavro.parse_schema({**schema, "fields": fields})
        self.to_body = to_dict(record.body)
        self.from_body = from_dict(record.body)
        self.after = None if record.after is None else from_dict(record.after)


_envelope_to = to_dict(Envelope)
_envelope_from: Callable[[Any], Envelope] = from_dict(Envelope)


def _build() -> tuple[dict[int, _Wire], dict[type[Any], _Wire], dict[type[Any], _Wire]]:
    by_id: dict[int, _Wire] = {}
    records: dict[type[Any], _Wire] = {}
    rows: dict[type[Any], _Wire] = {}
    for record in RECORD_TYPES:
        versions = registry.versions(record.name)
        newest = registry.plain_schema(record.name, versions[-1][0])
        for version, schema_id in versions:
            current = version == versions[-1][0]
            reader = None if current else fastavro.parse_schema(newest)
            wire = _Wire(record, schema_id, registry.plain_schema(record.name, version), reader)
            by_id[schema_id] = wire
            (rows if record.bare else records)[record.body] = wire
    return by_id, records, rows


_BY_ID, _RECORDS, _ROWS = _build()


def encode(envelope: Envelope, body: Any, after: bytes = b"") -> bytes:
    """Encode a record. `after`: on events, the state as `encode_after` gave it, without header."""
    wire = _RECORDS[type(body)]
    if (wire.after is None) is bool(after):
        raise ValueError(f"{wire.record.name} {'has no' if after else 'needs'} `after`")
    datum = wire.to_body(body)
    datum["envelope"] = _envelope_to(envelope)
    out = io.BytesIO()
    out.write(wire.header)
    fastavro.schemaless_writer(out, wire.short, datum)
    if after:
        out.write(after)
    return out.getvalue()


def encode_row(state: Any) -> bytes:
    """Encode a row's state, framed. Without its first five bytes it is what events carry as `after`."""
    wire = _ROWS[type(state)]
    out = io.BytesIO()
    out.write(wire.header)
    fastavro.schemaless_writer(out, wire.schema, wire.to_body(state))
    return out.getvalue()


HEADER_SIZE: Final = _HEADER.size


def _open(value: bytes) -> tuple[_Wire, Any]:
    if len(value) < HEADER_SIZE:
        raise Undecodable(f"{len(value)} bytes are too few for a record")
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != 0:
        raise Undecodable(f"the first byte is {magic}, not 0")
    wire = _BY_ID.get(schema_id)
    if wire is None:
        raise UnknownSchema(schema_id)
    source = io.BytesIO(value)
    source.seek(HEADER_SIZE)
    try:
        datum = fastavro.schemaless_reader(source, wire.schema, wire.reader)
    except Exception as error:
        raise Undecodable(f"not a {wire.record.name}: {error!r}") from error
    left = len(value) - source.tell()
    if left:
        raise Undecodable(f"{left} bytes follow the {wire.record.name}")
    return wire, datum


def decode(value: bytes | None) -> Decoded:
    """Decode a record of an internal topic. Raises Undecodable, and UnknownSchema where only the id is foreign."""
    if value is None:
        raise Undecodable("there is no value")
    wire, datum = _open(value)
    if wire.record.bare:
        raise Undecodable(f"{wire.record.name} is not a record of a topic")
    try:
        after = wire.after(datum["after"]) if wire.after is not None else None
        return Decoded(wire.record.name, _envelope_from(datum["envelope"]), wire.from_body(datum), after)
    except (ValueError, KeyError, TypeError) as error:
        raise Undecodable(f"not a {wire.record.name}: {error}") from error


def decode_row(value: bytes) -> Any:
    """Decode what `encode_row` made, or a record of the public topic."""
    wire, datum = _open(value)
    if not wire.record.bare:
        raise Undecodable(f"{wire.record.name} is not a row")
    try:
        return wire.from_body(datum)
    except (ValueError, KeyError, TypeError) as error:
        raise Undecodable(f"not a {wire.record.name}: {error}") from error


def name_of(body: Any) -> str:
    """Return the schema name of a record's body, e.g. "cases/change_title"."""
    return _RECORDS[type(body)].record.name
