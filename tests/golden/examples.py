"""An example of each version of each schema, the same in every run. What may be absent is there."""

from __future__ import annotations

import dataclasses
import io
import json
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro

from schemas import registry
from schemas.catalogue import RECORD_TYPES, RecordType
from streams.envelope import Envelope
from streams.text import Sealed

EXAMPLES: Final = Path(__file__).parents[2] / "schemas" / "examples"
BEGIN: Final = 1_900_000_000_000_000

_TEXTS: Final = {
    "tenant_id": "7b0c2d8e-3a52-5d1f-9f0a-2f6d1f4c8a11",
    "aggregate_id": "2f6a0a35-5b0e-5c59-8f5e-0a7a3d1c9b42",
    "source": "stage.cases",
    "actor": "user:1d9f6c52-7d0b-4c7e-9d0e-6a3f4b5c6d7e",
    "created_by": "integration:pagerduty",
    "owner": "user:1d9f6c52-7d0b-4c7e-9d0e-6a3f4b5c6d7e",
    "grant": "cases_write",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "topic": "case.intake",
    "alert_id": "0123456789abcdef/disk-full/db-1",
    "dedup_key": "disk-full/db-1",
    "routing_key": "R0UT1NGK3Y",
    "project_key": "OPS",
    "key": "OPS",
    "type_id": "00000000-0000-0000-0000-000000000001",
    "due_date": "2030-01-31",
    "action": "trigger",
    "priority": "P2",
    "severity": "critical",
    "details": '{"free": "1 %"}',
    "settings": '{"color": "red"}',
    "code": "case.title_too_long",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


class Version(NamedTuple):
    """One version of a schema."""

    record: RecordType
    number: int
    schema_id: int

    def path(self, suffix: str) -> Path:
        return EXAMPLES / f"{self.record.name}.v{self.number}.{suffix}"

    def schema(self) -> Any:
        return fastavro.parse_schema(registry.plain_schema(self.record.name, self.number))

    @property
    def newest(self) -> bool:
        return registry.versions(self.record.name)[-1][0] == self.number


def versions() -> Iterator[Version]:
    for record in RECORD_TYPES:
        for number, schema_id in registry.versions(record.name):
            yield Version(record, number, schema_id)


def make(version: Version) -> bytes:
    """Return the bytes of a version's example, as fastavro writes them: an older one leaves out what it did not know."""
    record = version.record
    datum = _value(record.body, "")
    if not record.bare:
        datum["envelope"] = _value(Envelope, "")
    if record.after is not None:
        datum["after"] = _value(record.after, "")
    out = io.BytesIO()
    fastavro.schemaless_writer(out, version.schema(), datum)
    return b"\0" + version.schema_id.to_bytes(4, "big") + out.getvalue()


def read(version: Version, value: bytes) -> Any:
    """Return what the bytes say by the version's own schema."""
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), version.schema(), None)


def as_json(datum: Any) -> str:
    """Return a datum as Avro's JSON has it but for the names of union branches: bytes are text, one character each."""
    return json.dumps(datum, indent=1, ensure_ascii=False, default=lambda raw: raw.decode("latin-1")) + "\n"


def _value(hint: Any, name: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        return _value(next(a for a in args if a is not types.NoneType), name)
    if origin is tuple:
        return [_value(args[0], name)]
    if origin is not None and issubclass(origin, Mapping):
        return {"env": _value(args[1], "")}
    if hint is Sealed:
        # Plain: an example of a text that nobody can read would help nobody.
        return {"content": _value(bytes, ""), "key_id": None}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return {f.name: _value(hints[f.name], f.name) for f in dataclasses.fields(hint)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1].value
    if hint is str:
        if name in _TEXTS:
            return _TEXTS[name]
        return "c0ffee00-1111-5222-8333-444455556666" if name == "id" or name.endswith("_id") else name or "prod"
    if hint is bytes:
        return b"Disk is full on db-1"
    if hint is bool:
        return True
    return BEGIN if name.endswith(("_at", "_by")) else 3
