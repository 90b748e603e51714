"""Counting cases: in all, by the values of fields, and completing what somebody types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.runtime.auth import Caller
from infra.runtime.kafka import Position
from infra.runtime.problems import problem
from query_api.readers import Readers
from query_api.search.fields import ALIASES, FIELDS, Kind, field_of
from query_api.search.scope import scoped
from query_api.search.translate import Asker, Query
from streams.cases.case import STANDARD_TYPE

GROUPS_LIMIT: Final = 3
"""By how many fields together cases can be grouped."""

FIELDS_LIMIT: Final = 20
"""By how many fields, each by itself, cases can be counted at once."""

# How many values of each field are looked at, by how many are grouped together: a search has a limit of 65 536 groups.
_SIZES: Final = {1: 1_000, 2: 200, 3: 36}
_FACETS: Final = ("status", "status_name", "priority", "project", "assignee", "type")
_SAMPLE: Final = 200
_NOTHING: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """text: a search, blank for all that are not archived. position: of a write that must be seen. field: what the
    request calls the text.
    """

    text: str = ""
    position: Position | None = None
    field: str = "query_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """value: written so that a search takes it; "none" where a case has none."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """groups: the counts by field name, the largest first."""

    total: int
    groups: dict[str, list[Count]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    values: tuple[str, ...]
    count: int


async def count_cases(readers: Readers, caller: Caller, asked: Asked, groups: Sequence[str], limit: int) -> Counts:
    """Return how many cases match, and for each field how many have each of its values, `limit` values at most."""
    if len(groups) > FIELDS_LIMIT:
        raise problem(400, "count.too_many_groups", f"at most {FIELDS_LIMIT} fields at once", field="group_bys")
    query = await _query(readers, caller, asked)
    named = {f"g{i}": (name, _terms(name, limit, "group_bys")) for i, name in enumerate(groups)}
    total, answer = await readers.index.aggregate(query, {key: terms for key, (_, terms) in named.items()})
    return Counts(
        total=total,
        groups={name: [_count(name, b) for b in answer[key]["buckets"]] for key, (name, _) in named.items()},
    )


async def aggregate_cases(
    readers: Readers, caller: Caller, asked: Asked, groups: Sequence[str], limit: int
) -> tuple[int, list[Combination]]:
    """Return how many cases match, and how many have each combination of the fields' values, the largest first."""
    if not 1 <= len(groups) <= GROUPS_LIMIT:
        detail = f"cases are grouped by 1 to {GROUPS_LIMIT} fields"
        raise problem(400, "count.too_many_groups", detail, field="data.attributes.group_by.groups")
    query = await _query(readers, caller, asked)
    size = min(limit, _SIZES[len(groups)]) if len(groups) == 1 else _SIZES[len(groups)]
    nested: dict[str, Any] = {}
    for name in reversed(groups):
        level = _terms(name, size, "data.attributes.group_by.groups")
        nested = {"g": {**level, "aggregations": nested} if nested else level}
    total, answer = await readers.index.aggregate(query, nested)
    found = sorted(_combinations(groups, answer), key=lambda c: (-c.count, c.values))
    return total, found[:limit]


async def facets(readers: Readers, caller: Caller, asked: Asked, limit: int) -> Counts:
    """Return the counts of what cases are usually told apart by, and of the attributes that the newest of them have."""
    query = await _query(readers, caller, asked)
    newest = await readers.index.fetch(query, fields=["attributes"], sort=[{"created_at": "desc"}], size=_SAMPLE)
    often = Counter(name for case in newest for name in case.get("attributes") or {})
    names = [f"attributes.{name}" for name, _ in often.most_common() if field_of(f"attributes.{name}") is not None]
    return await count_cases(readers, caller, asked, [*_FACETS, *names[: FIELDS_LIMIT - len(_FACETS)]], limit)


async def autocomplete(
    readers: Readers, caller: Caller, typed: str, limit: int, position: Position | None = None
) -> list[dict[str, Any]]:
    """Return the cases whose key or title goes on from what was typed: id, key, title and status of each."""
    scope = await _query(readers, caller, Asked(position=position))
    matching = [
        {"prefix": {"key": {"value": typed.strip(), "case_insensitive": True, "boost": 5.0}}},
        {"multi_match": {"query": typed, "fields": ["title"], "type": "bool_prefix", "operator": "and"}},
    ]
    query = {"bool": {"filter": [scope], "should": matching, "minimum_should_match": 1 if typed.strip() else 0}}
    return await readers.index.fetch(
        query, fields=["case_id", "key", "title", "status"], sort=["_score", {"created_at": "desc"}], size=limit
    )


async def _query(readers: Readers, caller: Caller, asked: Asked) -> Query:
    query = scoped(caller, asked.text, Asker(user_id=caller.user_id, now=readers.now()), field=asked.field)
    if asked.position is not None:
        await readers.visibility.wait(asked.position)
    return query


_GROUPED: Final = frozenset({Kind.CHOICE, Kind.ATTRIBUTE, Kind.WORD, Kind.ACTOR})
_MISSING: Final = frozenset({"assignee_id", "modified_by"})


def _terms(name: str, size: int, where: str) -> dict[str, Any]:
    field = field_of(name)
    if field is None or field.kind not in _GROUPED:
        known = ", ".join(n for n, f in FIELDS.items() if f.kind in _GROUPED and n not in ALIASES)
        detail = f"cases are not counted by {name[:64]!r}; by {known} and the names of attributes they are"
        raise problem(400, "count.group", detail, field=where)
    missing = {"missing": _NOTHING} if field.index in _MISSING else {}
    return {"terms": {"field": field.index, "size": size, **missing}}


def _count(name: str, bucket: dict[str, Any]) -> Count:
    return Count(value=_value(name, bucket["key"]), count=int(bucket["doc_count"]))


def _value(name: str, key: Any) -> str:
    """Return a value as cases show it."""
    field = field_of(name)
    index = "" if field is None else field.index
    match index:
        case "project_key" | "key":
            # Indexed in small letters, and always capitals.
            return str(key).upper()
        case "type_id" if key == STANDARD_TYPE and name.lower() == "type":
            return "STANDARD"
        case _:
            return str(key)


def _combinations(names: Sequence[str], answer: dict[str, Any]) -> Iterator[Combination]:
    name, *others = names
    for bucket in answer["g"]["buckets"]:
        value = _value(name, bucket["key"])
        if not others:
            yield Combination(values=(value,), count=int(bucket["doc_count"]))
            continue
        for inner in _combinations(others, bucket):
            yield Combination(values=(value, *inner.values), count=inner.count)
