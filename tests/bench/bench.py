"""What a part of the benchmarks is given: where to say its figures, the engines, and how much is wanted."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from tests.bench.field import Field, opened
from tests.bench.report import Report

SIGNALS: Final = 50_000
SIZES: Final = (10_000, 100_000, 1_000_000)


@dataclass(slots=True, kw_only=True)
class Bench:
    """One run. signals: for the parts that take a number of them. sizes: for the parts that measure against size."""

    report: Report
    signals: int = SIGNALS
    sizes: tuple[int, ...] = SIZES
    held: ExitStack = field(default_factory=ExitStack)
    """What the run holds until its end."""
    _field: Field | None = None

    @property
    def field(self) -> Field:
        """Engines that are ready; started by the first part that asks for them."""
        if self._field is None:
            self._field = self.held.enter_context(opened(self.report.say))
        return self._field
