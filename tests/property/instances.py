"""Any instance of any record type, made from its annotations alone."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from streams.envelope import Envelope

# Across the sizes at which the encoding of an integer grows, and to both ends of 64 bits.
LONGS = st.one_of(st.integers(-70, 70), st.integers(8_180, 8_200), st.integers(-(2**63), 2**63 - 1))
TEXTS = st.one_of(st.text(max_size=8), st.text(min_size=60, max_size=70), st.sampled_from(["", "é" * 64, "😀\u200d"]))
UUIDS = st.uuids().map(str)

_MADE: Final[dict[Any, st.SearchStrategy[Any]]] = {}


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for an annotation."""
    if hint not in _MADE:
        _MADE[hint] = _make(hint)
    return _MADE[hint]


def _make(hint: Any) -> st.SearchStrategy[Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        return st.one_of(*(st.none() if a is types.NoneType else of(a) for a in args))
    if origin is tuple:
        return st.lists(of(args[0]), max_size=3).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(of(args[0]), of(args[1]), max_size=3)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{f.name: of(hints[f.name]) for f in dataclasses.fields(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return {str: TEXTS, int: LONGS, bool: st.booleans(), bytes: st.binary(max_size=70)}[hint]


def envelopes(**fixed: Any) -> st.SearchStrategy[Envelope]:
    """Return a strategy for envelopes as an edge makes them, but for what is fixed."""
    given = {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in fixed.items()}
    minted = {"tenant_id": UUIDS, "aggregate_id": UUIDS, "id": UUIDS, "correlation_id": UUIDS, "depth": st.just(0)}
    instants = st.integers(1_700_000_000_000_000, 2_000_000_000_000_000)
    edge = {"version": st.none(), "origin": st.none(), "expected_version": st.none(), "occurred_at": instants}
    return st.builds(Envelope, **({"source": TEXTS, "actor": TEXTS, "recorded_at": instants} | minted | edge | given))


def uuid_of(n: int) -> str:
    """Return a UUID that is easy to tell apart."""
    return str(UUID(int=n))
