"""Pages and their cursors."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import orjson
import pytest

from infra.runtime.problems import Problem
from query_api.operations.page import Page, continued, next_cursor, numbered

ASKED = ("disk", "created_at", "False")
KEY = ("2026-01-02T03:04:05.678901Z", "00000000-0000-4000-8000-000000000001")


def test_the_first_page_may_be_called_0_or_1() -> None:
    assert numbered(0, 10) == numbered(1, 10)
    assert numbered(3, 10).offset == 20


def test_pages_end_at_the_window() -> None:
    assert numbered(100, 100).offset == 9_900
    with pytest.raises(Problem) as refused:
        numbered(101, 100)
    assert "10000" in refused.value.faults[0].detail
    assert "page[cursor]" in refused.value.faults[0].detail


@pytest.mark.parametrize("key", [KEY, (3, *KEY), ("OPEN", *KEY)])
def test_a_cursor_comes_back_as_it_went(key: tuple[str | int, ...]) -> None:
    cursor = next_cursor(Page(number=4, size=10), key, ASKED)
    assert continued(cursor, 25, ASKED) == Page(number=5, size=25, key=key)


def test_a_cursor_belongs_to_its_list() -> None:
    cursor = next_cursor(Page(number=1, size=10), KEY, ASKED)
    with pytest.raises(Problem) as refused:
        continued(cursor, 10, ("disk", "created_at", "True"))
    assert refused.value.faults[0].code == "page.cursor_of_another_list"


def forged(*key: object) -> str:
    genuine = orjson.loads(urlsafe_b64decode_padded(next_cursor(Page(number=1, size=1), KEY, ASKED)))
    return urlsafe_b64encode(orjson.dumps([*genuine[:2], list(key)])).decode()


def urlsafe_b64decode_padded(text: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "é",
        "!!!",
        "a" * 2_000,
        "W10",
        forged(),
        forged("x", KEY[1]),
        forged("2026-01-02T03:04:05", KEY[1]),
        forged(KEY[0], "no-uuid"),
        forged(1, 2, *KEY),
        forged(True, *KEY),
        forged(None, *KEY),
        forged(-1, *KEY),
        forged([], *KEY),
        forged("x" * 33, *KEY),
    ],
)
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        continued(cursor, 10, ASKED)
    assert refused.value.faults[0].code == "page.cursor_unknown"
