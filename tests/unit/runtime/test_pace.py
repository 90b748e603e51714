from __future__ import annotations

import pytest

from infra.runtime.pace import Pace


def gathered(rate: float, *, seconds: float = 3.0, longest: float = 0.03) -> float:
    """How long a reader of a steady stream gathers in the end, reading what came each time."""
    pace = Pace(longest)
    now, left, wait = 100.0, 0.0, 0.0
    until = now + seconds
    while now < until:
        passed = max(wait, 1 / rate)
        now += passed
        left += passed * rate
        count, left = int(left), left % 1
        wait = pace.took(count, now)
    return wait


@pytest.mark.parametrize("rate", [1, 10, 50, 100])
def test_under_little_load_nothing_is_put_off(rate: float) -> None:
    assert gathered(rate) == 0.0


def test_the_more_comes_the_longer_it_gathers_up_to_the_limit() -> None:
    waits = [gathered(rate) for rate in (250, 400, 600)]
    assert 0 < waits[0] < waits[1] < waits[2] < 0.03
    assert gathered(1_000) == gathered(50_000) == 0.03


def test_what_it_gathers_is_more_than_one_record() -> None:
    for rate in range(10, 3_000, 10):
        wait = gathered(rate, seconds=1.0)
        assert wait == 0.0 or wait * rate > 1.4


def test_after_a_pause_the_next_record_is_not_put_off() -> None:
    pace = Pace(0.03)
    now = 0.0
    for _ in range(100):
        now += 0.01
        pace.took(20, now)
    assert pace.took(20, now + 0.01) == 0.03
    assert pace.took(1, now + 3.0) == 0.0


def test_records_of_one_moment_do_not_divide_by_nothing() -> None:
    pace = Pace(0.03)
    assert pace.took(5, 1.0) == 0.0
    assert pace.took(5, 1.0) == 0.0
