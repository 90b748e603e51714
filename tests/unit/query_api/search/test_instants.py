"""Times in queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from query_api.search.instants import LAST, span

NOW = datetime(2026, 3, 31, 13, 14, 15, 678901, UTC)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-02-28", "2026-02-28", "2026-03-01"),
        ("2026-01-02T03", "2026-01-02T03:00", "2026-01-02T04:00"),
        ("2026-01-02T03:04", "2026-01-02T03:04", "2026-01-02T03:05"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05", "2026-01-02T03:04:06"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:06"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05", "2026-01-02T01:04:06"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.5", "2026-01-02T03:04:05.500001"),
        ("now", "2026-03-31T13:14:15.678901", "2026-03-31T13:14:15.678902"),
        ("now-1d", "2026-03-30T13:14:15.678901", "2026-03-30T13:14:15.678902"),
        ("now+2h-30m", "2026-03-31T14:44:15.678901", "2026-03-31T14:44:15.678902"),
        ("now-1M", "2026-02-28T13:14:15.678901", "2026-02-28T13:14:15.678902"),
        ("now/d", "2026-03-31", "2026-04-01"),
        ("now/w", "2026-03-30", "2026-04-06"),
        ("now-1d/d", "2026-03-30", "2026-03-31"),
        ("now/M", "2026-03-01", "2026-04-01"),
        ("now/y", "2026-01-01", "2027-01-01"),
        ("now/d+6h", "2026-03-31T06:00", "2026-03-31T06:00:00.000001"),
    ],
)
def test_a_time_is_a_span(text: str, begin: str, end: str) -> None:
    named = span(text, NOW)
    assert named is not None
    assert named.begin == datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert named.end == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13", "2026-02-30", "26-01-01", "now-", "now-1", "now-1x", "2026-01-01T25:00", "٢٠٢٦"],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert span(text, NOW) is None


@pytest.mark.parametrize("text", ["9999", "9999-12-31", "now+999999y", "now-999999y", "0001-01-01T00:00:00+14:00"])
def test_what_lies_beyond_the_calendar_stays_in_it(text: str) -> None:
    named = span(text, NOW)
    assert named is not None
    assert named.begin <= named.end <= LAST
    assert LAST - named.end >= timedelta()
