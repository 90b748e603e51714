"""The committed schemas and their ids, as the package ships them."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def ids() -> dict[str, int]:
    """Return "folder/name.vN" -> schema id."""
    loaded: dict[str, int] = json.loads((files("schemas") / "ids.json").read_text())
    return loaded


@cache
def _versions() -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for key, schema_id in ids().items():
        name, version = key.rsplit(".v", 1)
        found[name].append((int(version), schema_id))
    return {name: sorted(versions) for name, versions in found.items()}


def versions(name: str) -> list[tuple[int, int]]:
    """Return (version, schema id) of a schema, oldest first."""
    return _versions().get(name, [])


def schema(name: str, version: int) -> dict[str, Any]:
    """Return a schema as committed."""
    loaded: dict[str, Any] = json.loads((files("schemas") / "avro" / f"{name}.v{version}.avsc").read_text())
    return loaded


def plain_schema(name: str, version: int) -> dict[str, Any]:
    """Return a schema without logical types: the bytes are the same, and instants stay integers."""
    stripped: dict[str, Any] = _strip(schema(name, version))
    return stripped


def _strip(node: Any) -> Any:
    if isinstance(node, dict):
        if "logicalType" in node:
            return node["type"]
        return {k: v if k == "default" else _strip(v) for k, v in node.items() if k != "doc"}
    if isinstance(node, list):
        return [_strip(n) for n in node]
    return node
