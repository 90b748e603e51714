"""The cursor of live streams."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.nexus.cursor import Cursor, CursorUnknown


@given(st.integers(0, 10), st.dictionaries(st.integers(0, 1_023), st.integers(0, 2**63 - 1), max_size=20))
def test_a_cursor_comes_back_as_it_went(generation: int, offsets: dict[int, int]) -> None:
    cursor = Cursor(generation=generation, next_offsets=offsets)
    assert Cursor.decode(cursor.encode()) == cursor


def test_past_a_record_only_its_partition_moves() -> None:
    cursor = Cursor(generation=1, next_offsets={0: 5, 1: 7}).past(1, 9)
    assert (cursor.next(0), cursor.next(1), cursor.next(2)) == (5, 10, 0)


def text_of(document: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(document)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        "0",
        "a" * 40_000,
        text_of({}),
        text_of([1, 1]),
        text_of([2, 1, []]),
        text_of([1, "1", []]),
        text_of([1, 1, [[0]]]),
        text_of([1, 1, [[0, -1]]]),
        text_of([1, 1, [["0", 1]]]),
        text_of([1, 1, [[0, 2**63]]]),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorUnknown):
        Cursor.decode(text)


@given(st.text())
def test_any_text_is_a_cursor_or_is_refused(text: str) -> None:
    with suppress(CursorUnknown):
        assert Cursor.decode(text).generation is not None
