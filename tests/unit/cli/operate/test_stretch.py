"""Which records of a topic are meant."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from infra.cli.case.problem import Problem
from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.stretch import Wanted, milliseconds, stretch
from sinks.base import Raw
from streams.topics import CASE_EVENTS
from tests.fakes.story import everything


class Known(Log):
    """A topic of two partitions. Of times, the first offset that is not older is told, None past the end."""

    def __init__(self, **times: int | None) -> None:
        self._times = times

    def bounds(self, topics: object) -> dict[Place, Bounds]:
        return {Place("t", 0): Bounds(5, 20), Place("t", 1): Bounds(0, 0)} if topics == ["t"] else {}

    def at_time(self, places: Iterable[Place], milliseconds: int) -> dict[Place, int | None]:
        assert milliseconds > 0
        return {place: self._times["first"] if place.partition == 0 else None for place in places}


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [
        (None, None, Bounds(5, 20)),
        ("7", "9", Bounds(7, 9)),
        ("0", "99", Bounds(5, 20)),
        ("30", None, Bounds(20, 20)),
        ("2031-01-01", None, Bounds(11, 20)),
    ],
)
def test_bounds_stay_within_the_log(begin: str | None, end: str | None, found: Bounds) -> None:
    spans = stretch(Known(first=11), "t", partitions=(), begin=begin, end=end)
    assert spans == {Place("t", 0): found, Place("t", 1): Bounds(0, 0)}


def test_a_time_past_the_end_is_the_end() -> None:
    spans = stretch(Known(first=None), "t", partitions=[0], begin="2099-01-01T00:00:00+01:00", end=None)
    assert spans == {Place("t", 0): Bounds(20, 20)}


def test_a_time_without_a_zone_is_utc() -> None:
    assert milliseconds("1970-01-01T00:00:01") == milliseconds("1970-01-01T01:00:01+01:00") == 1_000
    with pytest.raises(Problem, match="neither an offset nor a time"):
        milliseconds("-1")


def test_a_topic_or_partition_that_is_not_there_is_said() -> None:
    with pytest.raises(Problem, match="there is no topic nobody"):
        stretch(Known(), "nobody", partitions=(), begin=None, end=None)
    with pytest.raises(Problem, match="t has no partition 3"):
        stretch(Known(), "t", partitions=[1, 3], begin=None, end=None)


def test_a_tenant_is_found_in_the_key_or_in_the_envelope() -> None:
    (raw, *_) = everything(partitions=1).records(CASE_EVENTS)
    tenant, _, case = (raw.key or b"").decode().partition("/")
    elsewhere = raw._replace(key=b"any")
    assert Wanted(tenant=tenant.upper()).takes(raw)
    assert Wanted(tenant=tenant).takes(elsewhere)
    assert not Wanted(tenant="another").takes(elsewhere)
    assert Wanted(case=case, key=f"{tenant}/{case}").takes(raw)
    assert not Wanted(case=case).takes(elsewhere)
    assert not Wanted(key="any").takes(raw)
    broken = Raw("t", 0, 0, None, b"not avro", 0)
    assert not Wanted(tenant=tenant).takes(broken)
    assert Wanted().everything
    assert Wanted().takes(broken)
