"""Counts of cases, as the public client reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5


def count_document(total: int, groups: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, Any]:
    """Return the counts of each field's values. Without fields there are no groups; `total` is always there."""
    told = [
        {"group": name, "group_values": [{"value": value, "count": count} for value, count in counts]}
        for name, counts in groups.items()
    ]
    return {"data": {"id": _id("count", groups), "type": "count", "attributes": {"total": total, "groups": told}}}


def aggregate_document(
    total: int, names: Sequence[str], groups: Iterable[tuple[tuple[str, ...], int]]
) -> dict[str, Any]:
    """Return the counts of each combination of values. group: the values, joined by commas where there are several."""
    told = [{"group": ",".join(values), "values": list(values), "value": [count]} for values, count in groups]
    attributes = {"total": total, "groups": told}
    return {"data": {"id": _id("aggregate", names), "type": "aggregate", "attributes": attributes}}


def _id(kind: str, names: Iterable[str]) -> str:
    """Return an id that says what was counted by: the public API's documents have one, though nothing is stored."""
    return str(uuid5(NAMESPACE_URL, f"{kind}:{','.join(names)}"))
