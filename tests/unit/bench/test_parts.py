"""Every part of the benchmarks can be loaded, and targets are of parts that there are."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import main
from tests.bench.parts import PARTS, load
from tests.bench.targets import TARGETS


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_a_module_with_what_measures_it(part: str) -> None:
    assert callable(load(part))


def test_every_target_is_of_a_part() -> None:
    assert {part for part, _ in TARGETS} <= PARTS.keys()


def test_a_part_that_is_not_there_is_named_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["spede"])

    assert "no such part: spede; there are fold" in capsys.readouterr().err


def test_sizes_are_taken_short(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--size", "10x"])

    assert "sizes are as 10k,100k,1M" in capsys.readouterr().err
