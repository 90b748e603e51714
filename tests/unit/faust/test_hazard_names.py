"""Every hazard of Faust that is known has a test that is named after it."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
HAZARDS = {*range(1, 8), 9, 10, 12, 14, 15, 16, 18, 19, *range(22, 27)}
"""By number. What is between was found to be none, or is not used here: take, joins, RocksDB, the web server."""


def test_no_hazard_is_without_a_test() -> None:
    named: set[int] = set()
    for folder in (TESTS / "unit" / "faust", TESTS / "integration" / "faust"):
        for path in folder.glob("test_*.py"):
            for numbers in re.findall(r"def test_((?:h\d+_)+)", path.read_text()):
                named |= {int(number) for number in re.findall(r"\d+", numbers)}
    assert HAZARDS - named == set()
