"""Which part of a list is asked for, and the cursor by which a list goes on beyond its first pages. Pure."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeAlias

import orjson

from infra.runtime.problems import Problem, problem
from sinks.postgres.reads import uuid_of

WINDOW: Final = 10_000
"""How many cases can be reached by page number. Elasticsearch collects all that come before a page, Postgres reads them."""

SIZE_LIMIT: Final = 100
_LENGTH_LIMIT: Final = 1_024

Key: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """number: counts from 1. key: the sort values of the last case of the page before, where a cursor was given."""

    number: int
    size: int
    key: Key | None = None

    @property
    def offset(self) -> int:
        return 0 if self.key is not None else (self.number - 1) * self.size


def numbered(number: int, size: int) -> Page:
    """Return a page by its number; 0 is the first as well. Problem 400 beyond the window."""
    page = Page(number=max(number, 1), size=size)
    if page.offset + page.size > WINDOW:
        detail = (
            f"pages reach the first {WINDOW} cases; go on with page[cursor], which each page gives as "
            "meta.page.next_cursor"
        )
        raise problem(400, "page.beyond_window", detail, field="page[number]")
    return page


def continued(cursor: str, size: int, asked: Sequence[str]) -> Page:
    """Return the page behind a cursor. asked: what the list is of, which must be what it was. Problem 400."""
    try:
        if len(cursor) > _LENGTH_LIMIT:
            raise _unknown()
        match orjson.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))):
            case [str(of), int(number), list(key)] if 1 <= number < 2**31:
                if of != _fingerprint(asked):
                    detail = "the cursor is of another search or order; begin anew without it"
                    raise problem(400, "page.cursor_of_another_list", detail, field="page[cursor]")
                return Page(number=number, size=size, key=_checked(key))
            case _:
                raise _unknown()
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError):
        raise _unknown() from None


def next_cursor(page: Page, key: Key, asked: Sequence[str]) -> str:
    """Return the cursor of the page after this one, whose last case has these sort values."""
    return urlsafe_b64encode(orjson.dumps([_fingerprint(asked), page.number + 1, key])).rstrip(b"=").decode()


def _fingerprint(asked: Sequence[str]) -> str:
    return sha256(orjson.dumps(list(asked))).hexdigest()[:16]


def _checked(key: list[object]) -> Key:
    """Return the sort values: a rank where there is one, the instant of creation, the id. Whoever forges one is told."""
    match key:
        case [*rank, str(created_at), str(case_id)] if len(rank) <= 1:
            pass
        case _:
            raise _unknown()
    try:
        at = datetime.fromisoformat(created_at)
    except ValueError:
        raise _unknown() from None
    if at.tzinfo is None or uuid_of(case_id) is None or not all(_rank(r) for r in rank):
        raise _unknown()
    return (*(r for r in rank if isinstance(r, str | int)), created_at, case_id)


def _rank(value: object) -> bool:
    match value:
        case bool():
            return False
        case int():
            return 0 <= value < 100
        case str():
            return len(value) <= 32
        case _:
            return False


def _unknown() -> Problem:
    return problem(400, "page.cursor_unknown", "this is no cursor that a page gave", field="page[cursor]")
