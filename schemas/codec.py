"""Bytes to records and back: byte 0, a 4-byte big-endian schema id, then Avro binary.

The framing is the one that Kafka tools know. Decoding uses the writer's schema; only an old version is upcast, which is
fastavro's work.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import fastavro

from schemas import registry
from schemas.catalogue import RECORD_TYPES, RecordType
from schemas.convert import from_dict
from schemas.reader import reader
from schemas.writer import writer
from streams.envelope import Envelope, Origin
from streams.frozen import quick
from streams.ids import derived

_HEADER: Final = struct.Struct(">bI")
HEADER_SIZE: Final = _HEADER.size

# What reading bytes that are no such record comes to, ours and fastavro's.
_BROKEN: Final = (ValueError, KeyError, IndexError, TypeError, EOFError, OverflowError, struct.error)


class Undecodable(Exception):  # noqa: N818 - the four families of errors end in no suffix
    """The bytes are not a record of any schema that is known here."""


class UnknownSchema(Undecodable):
    """The schema id is not known here: a newer writer, or not ours."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema id {schema_id} is not known here")
        self.schema_id = schema_id


@quick
@dataclass(frozen=True, slots=True)
class Decoded:
    """A record: its type's name ("cases/case_opened"), envelope, body and, on events, the state after it."""

    name: str
    envelope: Envelope
    body: Any
    after: Any = None
    _row: bytes | None = field(default=None, compare=False, repr=False)

    def row(self) -> bytes:
        """Return what `encode_row` makes of `after`. Of a record with today's schema these bytes are in it already."""
        return encode_row(self.after) if self._row is None else self._row


class _Wire:
    """What encoding and decoding one schema takes, made once."""

    __slots__ = ("header", "name", "old", "read", "read_after", "record", "row_header", "write")

    def __init__(self, record: RecordType, schema_id: int, old: _Old | None) -> None:
        self.record = record
        self.name = record.name
        self.header = _HEADER.pack(0, schema_id)
        self.old = old
        self.write = writer(record.body)
        self.read = reader(record.body)
        # `after` is the last field, so its bytes are appended as they are: encoded once for event and row.
        self.read_after = None if record.after is None else reader(record.after)
        # The header of today's row of that state.
        self.row_header = b""


class _Old:
    """How bytes of a schema are read that is not today's: Avro fills what their writer did not know."""

    __slots__ = ("from_after", "from_body", "newest", "schema")

    def __init__(self, record: RecordType, schema: dict[str, Any], newest: dict[str, Any]) -> None:
        self.schema = fastavro.parse_schema(schema)
        self.newest = fastavro.parse_schema(newest)
        self.from_body = from_dict(record.body)
        self.from_after = None if record.after is None else from_dict(record.after)

    def read(self, value: bytes) -> tuple[Any, int]:
        source = io.BytesIO(value)
        source.seek(HEADER_SIZE)
        datum = fastavro.schemaless_reader(source, self.schema, self.newest)
        return datum, source.tell()


_write_envelope: Final = writer(Envelope)
_read_envelope: Final = reader(Envelope)
_envelope_from_dict: Final[Callable[[Any], Envelope]] = from_dict(Envelope)


def _build() -> tuple[dict[int, _Wire], dict[type[Any], _Wire], dict[type[Any], _Wire]]:
    by_id: dict[int, _Wire] = {}
    records: dict[type[Any], _Wire] = {}
    rows: dict[type[Any], _Wire] = {}
    for record in RECORD_TYPES:
        versions = registry.versions(record.name)
        newest, _ = versions[-1]
        for version, schema_id in versions:
            old = None
            if version != newest:
                old = _Old(
                    record, registry.plain_schema(record.name, version), registry.plain_schema(record.name, newest)
                )
            wire = _Wire(record, schema_id, old)
            by_id[schema_id] = wire
            (rows if record.bare else records)[record.body] = wire
    for wire in records.values():
        if wire.record.after is not None:
            wire.row_header = rows[wire.record.after].header
    return by_id, records, rows


_BY_ID, _RECORDS, _ROWS = _build()


def encode(envelope: Envelope, body: Any, after: bytes = b"") -> bytes:
    """Encode a record. `after`: on events, the state as `encode_row` gave it, without header."""
    wire = _wire_for(body, after)
    return b"".join((wire.header, _write_envelope(envelope), wire.write(body), after))


# What a record that follows from a command says otherwise than the command. Its envelope is written without being made:
# that took a quarter of the time of a fold.
_OTHERWISE: Final = ("aggregate_id", "id", "version", "causation_id", "source", "origin", "expected_version", "last")
_write_event: Final = writer(Envelope, _OTHERWISE)
_write_command: Final = writer(Envelope, (*_OTHERWISE, "depth", "reply_by"))


def encode_event(
    command: Envelope,
    parent: bytes,
    n: int,
    aggregate_id: str,
    body: Any,
    after: bytes = b"",
    *,
    version: int | None,
    source: str,
    last: bool,
) -> bytes:
    """Encode a record under `command.event(n, aggregate_id, ...)`. parent: the command's id, 16 bytes."""
    wire = _wire_for(body, after)
    made = derived(parent, str(n))
    head = _write_event(command, aggregate_id, made, version, command.id, source, None, None, last)
    return b"".join((wire.header, head, wire.write(body), after))


def encode_command(
    command: Envelope, parent: bytes, n: int, body: Any, *, aggregate_id: str, stage: str, origin: Origin, asks: bool
) -> bytes:
    """Encode a record under `command.command(n, ...)`. parent: the command's id, 16 bytes."""
    wire = _wire_for(body, b"")
    made, source, reply_by = derived(parent, f"{stage}/{n}"), f"stage.{stage}", command.reply_by if asks else None
    depth = command.depth + 1
    head = _write_command(command, aggregate_id, made, None, command.id, source, origin, None, True, depth, reply_by)
    return b"".join((wire.header, head, wire.write(body)))


def _wire_for(body: Any, after: bytes) -> _Wire:
    wire = _RECORDS[type(body)]
    if (wire.read_after is None) is bool(after):
        raise ValueError(f"{wire.name} {'has no' if after else 'needs'} `after`")
    return wire


def encode_row(state: Any) -> bytes:
    """Encode a row's state, framed. Without its first five bytes it is what events carry as `after`."""
    wire = _ROWS[type(state)]
    return wire.header + wire.write(state)


# By the first bytes of a value: one look-up where all is well. What is not found here is told why by `_wire_of`.
_OF_TOPICS: Final = {wire.header: wire for wire in _BY_ID.values() if not wire.record.bare}
_OF_ROWS: Final = {wire.header: wire for wire in _BY_ID.values() if wire.record.bare}


def _wire_of(value: bytes) -> _Wire:
    if len(value) < HEADER_SIZE:
        raise Undecodable(f"{len(value)} bytes are too few for a record")
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != 0:
        raise Undecodable(f"the first byte is {magic}, not 0")
    wire = _BY_ID.get(schema_id)
    if wire is None:
        raise UnknownSchema(schema_id)
    return wire


def _raise_size(wire: _Wire, value: bytes, end: int) -> NoReturn:
    left = len(value) - end
    if left > 0:
        raise Undecodable(f"{left} bytes follow the {wire.name}")
    raise Undecodable(f"not a {wire.name}: it is cut off")


def decode(value: bytes | None) -> Decoded:
    """Decode a record of an internal topic. Raises Undecodable, and UnknownSchema where only the id is foreign."""
    if value is None:
        raise Undecodable("there is no value")
    wire = _OF_TOPICS.get(value[:HEADER_SIZE])
    if wire is None:
        raise Undecodable(f"{_wire_of(value).name} is not a record of a topic")
    after = row = None
    try:
        if wire.old is None:
            envelope, end = _read_envelope(value, HEADER_SIZE)
            body, end = wire.read(value, end)
            if wire.read_after is not None:
                begin = end
                after, end = wire.read_after(value, begin)
                row = wire.row_header + value[begin:]
        else:
            datum, end = wire.old.read(value)
            envelope, body = _envelope_from_dict(datum["envelope"]), wire.old.from_body(datum)
            if wire.old.from_after is not None:
                after = wire.old.from_after(datum["after"])
    except _BROKEN as error:
        raise Undecodable(f"not a {wire.name}: {error!r}") from error
    if end != len(value):
        _raise_size(wire, value, end)
    return Decoded(wire.name, envelope, body, after, row)


def decode_row(value: bytes) -> Any:
    """Decode what `encode_row` made, or a record of the public topic."""
    wire = _OF_ROWS.get(value[:HEADER_SIZE])
    if wire is None:
        raise Undecodable(f"{_wire_of(value).name} is not a row")
    try:
        if wire.old is None:
            state, end = wire.read(value, HEADER_SIZE)
        else:
            datum, end = wire.old.read(value)
            state = wire.old.from_body(datum)
    except _BROKEN as error:
        raise Undecodable(f"not a {wire.name}: {error!r}") from error
    if end != len(value):
        _raise_size(wire, value, end)
    return state


def name_of(body: Any) -> str:
    """Return the schema name of a record's body, e.g. "cases/change_title"."""
    return _RECORDS[type(body)].name
