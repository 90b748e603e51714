"""Times as people write them in a query, as spans: a day is from its midnight to the next. All in UTC."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

FORMS: Final = "2026, 2026-01, 2026-01-31, 2026-01-31T10:00:00Z, now, now-7d or now/d"

_WRITTEN: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_RELATIVE: Final = re.compile(r"now((?:[+-]\d{1,6}[yMwdhHms]|/[yMwdhHms])*)", re.ASCII)
_STEP: Final = re.compile(r"([+-]\d{1,6}|/)([yMwdhHms])", re.ASCII)
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "H": 3_600, "m": 60, "s": 1}
_MICROSECOND: Final = timedelta(microseconds=1)
FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `begin` on and before `end`."""

    begin: datetime
    end: datetime


def span(text: str, now: datetime) -> Span | None:
    """Return the span that a text names, None where it names none. What lies beyond the calendar is its first or last."""
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return _relative(relative[1], now)
    written = _WRITTEN.fullmatch(text)
    return None if written is None else _written(written)


def _written(match: re.Match[str]) -> Span | None:
    numbers = {name: int(match[name]) for name in _PARTS if match[name] is not None}
    fraction = match["fraction"]
    micros = 0 if fraction is None else int(fraction.ljust(6, "0")[:6])
    try:
        begin = datetime(
            numbers["year"],
            numbers.get("month", 1),
            numbers.get("day", 1),
            numbers.get("hour", 0),
            numbers.get("minute", 0),
            numbers.get("second", 0),
            micros,
            UTC,
        )
    except ValueError:
        return None
    end = _MICROSECOND if fraction is not None else _FINEST[list(numbers)[-1]]
    stop = _months(begin, end) if isinstance(end, int) else _moved(begin, end)
    offset = _offset(match["zone"])
    return Span(begin=_moved(begin, -offset), end=_moved(stop, -offset))


_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
# The width of what is written down to this part: in months, or a time.
_FINEST: Final[dict[str, int | timedelta]] = {
    "year": 12,
    "month": 1,
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "")
    east = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return east if zone[0] == "+" else -east


def _relative(steps: str, now: datetime) -> Span:
    begin = now.astimezone(UTC)
    unit = ""
    for amount, step in _STEP.findall(steps):
        unit = step if amount == "/" else ""
        begin = _floor(begin, step) if amount == "/" else _added(begin, int(amount), step)
    end = _added(begin, 1, unit) if unit else _moved(begin, _MICROSECOND)
    return Span(begin=begin, end=end)


def _added(at: datetime, amount: int, unit: str) -> datetime:
    match unit:
        case "y":
            return _months(at, 12 * amount)
        case "M":
            return _months(at, amount)
        case _:
            return _moved(at, timedelta(seconds=amount * _SECONDS[unit]))


def _floor(at: datetime, unit: str) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "y":
            return midnight.replace(month=1, day=1)
        case "M":
            return midnight.replace(day=1)
        case "w":
            return _moved(midnight, -timedelta(days=midnight.weekday()))
        case "d":
            return midnight
        case "h" | "H":
            return at.replace(minute=0, second=0, microsecond=0)
        case "m":
            return at.replace(second=0, microsecond=0)
        case _:
            return at.replace(microsecond=0)


def _months(at: datetime, amount: int) -> datetime:
    """Move by whole months; a day that the month lacks is its last."""
    months = at.year * 12 + at.month - 1 + amount
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        return FIRST if year < 1 else LAST
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST
