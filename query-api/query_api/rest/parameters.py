"""A request's query parameters and headers, as typed values. Each fault is a Problem 400 that names the parameter."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from starlette.requests import Request

from infra.runtime.kafka import Position
from infra.runtime.problems import Problem, problem
from query_api.search.instants import FORMS, span

E = TypeVar("E", bound=StrEnum)

_INTEGER: Final = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


class Parameters:
    """Reads by name. A parameter that is given twice counts as it was given last."""

    def __init__(self, request: Request) -> None:
        self._query = request.query_params
        self._headers = request.headers

    def text(self, name: str) -> str | None:
        return self._query.get(name)

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        given = self._query.get(name)
        if given is None or given == "":
            return default
        if not _INTEGER.fullmatch(given) or not low <= int(given) <= high:
            raise _fault(name, f"must be a whole number from {low} to {high}, not {given[:40]!r}")
        return int(given)

    def flag(self, name: str, *, default: bool) -> bool:
        given = self._query.get(name)
        if given is None or given == "":
            return default
        truth = _TRUTHS.get(given.lower())
        if truth is None:
            raise _fault(name, f"must be true or false, not {given[:40]!r}")
        return truth

    def moment(self, name: str, now: datetime) -> datetime | None:
        """Return a time: a day is its midnight, without a zone it is UTC, and `now-1h` counts from `now`."""
        given = self._query.get(name)
        if not given:
            return None
        named = span(given, now)
        if named is None:
            raise _fault(name, f"must be a time like {FORMS}, with + written as %2B, not {given[:40]!r}")
        return named.begin

    def choice(self, name: str, default: E) -> E:
        """Return the member of the default's enumeration that is named."""
        given = self._query.get(name)
        if given is None or given == "":
            return default
        try:
            return type(default)(given)
        except ValueError:
            raise _fault(name, f"must be one of {', '.join(type(default))}, not {given[:40]!r}") from None

    def names(self, name: str) -> list[str]:
        """Return a comma-separated list, each name once."""
        given = self._query.get(name) or ""
        return list(dict.fromkeys(part for part in (p.strip() for p in given.split(",")) if part))

    def position(self) -> Position | None:
        """Return the write that the request must see, from the header X-Position."""
        given = self._headers.get("x-position")
        if not given:
            return None
        try:
            return Position.parse(given)
        except ValueError:
            raise problem(400, "request.position", "must be the X-Position of a write", field="X-Position") from None


def _fault(name: str, detail: str) -> Problem:
    return problem(400, "request.parameter", detail, field=name)
