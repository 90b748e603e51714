"""Avro schemas of dataclasses. The files under `avro/` are what counts; this writes new ones and tests compare.

`python -m schemas.derive` says what differs; `--write` adds missing files and ids. It never changes one, but for its
documentation, which is no part of a schema's identity.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from schemas.catalogue import RECORD_TYPES, RecordType
from streams.envelope import Envelope

HERE: Final = Path(__file__).parent
NAMESPACE: Final = "casestream"
# Longs that are instants: microseconds since 1970, UTC. Kafka tools then show them as times.
_INSTANTS: Final = frozenset({"occurred_at", "recorded_at", "reply_by", "starts_at", "resolved_starts_at"})


def schema_of(record: RecordType) -> dict[str, Any]:
    """Return the schema of a record type: the envelope first, `after` last."""
    seen: set[str] = set()
    fields: list[dict[str, Any]] = []
    if not record.bare:
        fields.append({"name": "envelope", "type": _struct(Envelope, seen)})
    fields += _fields(record.body, seen)
    if record.after is not None:
        fields.append({"name": "after", "type": _struct(record.after, seen)})
    namespace = f"{NAMESPACE}.{record.name.split('/')[0]}"
    return {
        "type": "record",
        "name": record.body.__name__,
        "namespace": namespace,
        "doc": _doc(record.body),
        "fields": fields,
    }


def _doc(cls: type[Any]) -> str:
    doc = cls.__doc__ or ""
    # A dataclass without a docstring gets its signature as one.
    return "" if doc.startswith(f"{cls.__name__}(") else " ".join(doc.split())


def _struct(cls: type[Any], seen: set[str]) -> Any:
    name = f"{NAMESPACE}.types.{cls.__name__}"
    if name in seen:
        return name
    seen.add(name)
    return {"type": "record", "name": name, "doc": _doc(cls), "fields": _fields(cls, seen)}


def _fields(cls: type[Any], seen: set[str]) -> list[dict[str, Any]]:
    hints = typing.get_type_hints(cls)
    made = []
    for f in dataclasses.fields(cls):
        schema = _type(hints[f.name], f.name, seen)
        entry: dict[str, Any] = {"name": f.name, "type": schema}
        default = _default(f, schema)
        if default is not dataclasses.MISSING:
            entry["default"] = default
        made.append(entry)
    return made


def _default(f: dataclasses.Field[Any], schema: Any) -> Any:
    if f.default_factory is not dataclasses.MISSING:
        return {} if isinstance(schema, dict) and schema["type"] == "map" else []
    value = f.default
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = dataclasses.asdict(value)
        return {k: v.decode("latin-1") if isinstance(v, bytes) else v for k, v in plain.items()}
    return value


def _type(hint: Any, name: str, seen: set[str]) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        (inner,) = (a for a in args if a is not types.NoneType)
        return ["null", _type(inner, name, seen)]
    if origin is tuple:
        return {"type": "array", "items": _type(args[0], name, seen)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "map", "values": _type(args[1], name, seen)}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _struct(hint, seen)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "string"
    plain: dict[Any, str] = {str: "string", bool: "boolean", int: "long", float: "double", bytes: "bytes"}
    if hint is int and (name in _INSTANTS or name.endswith("ed_at")):
        return {"type": "long", "logicalType": "timestamp-micros"}
    return plain[hint]


def latest_version(name: str, root: Path = HERE) -> int:
    """Return the number of the newest file of a schema, 0 where there is none."""
    folder, stem = name.split("/")
    found = (root / "avro" / folder).glob(f"{stem}.v*.avsc")
    return max((int(p.name.removesuffix(".avsc").rsplit(".v", 1)[1]) for p in found), default=0)


def path_of(name: str, version: int, root: Path = HERE) -> Path:
    return root / "avro" / f"{name}.v{version}.avsc"


def differences(root: Path = HERE) -> list[tuple[RecordType, int]]:
    """Return the record types whose newest file is not what the code says, with the version it would become."""
    stale = []
    for record in RECORD_TYPES:
        version = latest_version(record.name, root)
        if version == 0 or _bare(_load(record.name, version, root)) != _bare(schema_of(record)):
            stale.append((record, version + 1))
    return stale


def outdated(root: Path = HERE) -> list[tuple[RecordType, int]]:
    """Return the record types whose newest file differs from the code in nothing but its documentation."""
    differing = {record.name for record, _ in differences(root)}
    newest = [(r, latest_version(r.name, root)) for r in RECORD_TYPES if r.name not in differing]
    return [(record, version) for record, version in newest if _load(record.name, version, root) != schema_of(record)]


def write(root: Path = HERE) -> list[str]:
    """Add a file and an id for each difference, and renew what is documentation alone."""
    ids_path = root / "ids.json"
    ids: dict[str, int] = json.loads(ids_path.read_text()) if ids_path.exists() else {}
    for record, version in outdated(root):
        _save(record, version, root)
    added = []
    for record, version in differences(root):
        _save(record, version, root)
        key = f"{record.name}.v{version}"
        ids[key] = max(ids.values(), default=0) + 1
        added.append(key)
    ids_path.write_text(json.dumps(dict(sorted(ids.items(), key=lambda i: i[1])), indent=0) + "\n")
    return added


def _load(name: str, version: int, root: Path) -> Any:
    return json.loads(path_of(name, version, root).read_text())


def _save(record: RecordType, version: int, root: Path) -> None:
    path = path_of(record.name, version, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema_of(record), indent=1, ensure_ascii=False) + "\n")


def _bare(node: Any) -> Any:
    """Return a schema without its documentation. A field's name or default may well be "doc"."""
    if isinstance(node, list):
        return [_bare(n) for n in node]
    if isinstance(node, dict):
        return {k: v if k == "default" else _bare(v) for k, v in node.items() if k != "doc"}
    return node


def main(argv: list[str]) -> int:
    if argv == ["--write"]:
        for name in write():
            print(f"added {name}")
        return 0
    stale, old = differences(), outdated()
    for record, version in stale:
        print(
            f"{record.name}: the code differs from v{version - 1}; `python -m schemas.derive --write` adds v{version}"
        )
    for record, version in old:
        print(f"{record.name}: the documentation of v{version} is old; `python -m schemas.derive --write` renews it")
    return 1 if stale or old else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
