"""What is cut, what is refused, and what is an instant."""

from __future__ import annotations

import orjson
import pytest

from sources import limits
from sources.signal import Invalid


def test_labels_at_their_limits_are_allowed() -> None:
    assert limits.label_faults({"n" * 200: "v" * 1024, **{f"l{n}": "" for n in range(199)}}) == []


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({f"l{n}": "" for n in range(201)}, "has 201 labels; the limit is 200"),
        ({"n" * 201: ""}, "has 201 characters in its name; the limit is 200"),
        ({"a": "v" * 1025}, "has 1025 characters; the limit is 1024"),
        ({"": "v"}, "a label has a name"),
        ({f"l{n}": "v" * 1000 for n in range(100)}, "bytes; the limit is 64000"),
    ],
)
def test_labels_over_a_limit_are_refused_with_the_limit(labels: dict[str, str], said: str) -> None:
    (fault,) = limits.label_faults(labels)
    assert said in fault.text


def test_fitted_labels_are_always_within_the_limits() -> None:
    fitted = limits.fit_labels({**{f"{n}" * 300: "é" * 5_000 for n in range(9)}, "": "x"})
    assert fitted
    assert limits.label_faults(fitted) == []


def test_details_leave_out_what_is_empty() -> None:
    assert limits.details({"a": None, "b": "", "c": [], "d": {}}) == b""
    assert orjson.loads(limits.details({"a": 0, "b": False, "c": "x"})) == {"a": 0, "b": False, "c": "x"}


def test_details_over_the_limit_are_refused_or_cut() -> None:
    large = {"a": "x" * 600_000, "b": "y"}
    with pytest.raises(Invalid, match="the limit is 524288"):
        limits.details(large)
    assert orjson.loads(limits.fit_details(large)) == {"b": "y", "truncated": True}


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2015-07-17T08:42:58.315+0000", 1_437_122_578_315_000),
        ("2015-07-17T10:42:58.315999999+02:00", 1_437_122_578_315_999),
        ("2015-07-17", 1_437_091_200_000_000),
        ("2015-07-17T08:42:58", 1_437_122_578_000_000),
        ("1969-12-31T23:59:59Z", None),
        ("2200-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_an_instant_is_iso_8601_within_our_time(text: str, micros: int | None) -> None:
    assert limits.instant(text) == micros


def test_a_key_that_is_too_long_keeps_its_beginning_and_its_difference() -> None:
    one, other = limits.fit_key("k" * 300 + "1"), limits.fit_key("k" * 300 + "2")
    assert len(one) == len(other) == 255
    assert one != other
    assert one.startswith("k" * 190)
    assert limits.fit_key("k" * 255) == "k" * 255
