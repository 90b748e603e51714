"""The parts of the benchmarks, in the order in which they run. A new one is a module with `run(bench)` and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final, Protocol, cast

from tests.bench.bench import Bench

PARTS: Final[Mapping[str, str]] = {
    "fold": "tests.bench.fold",
    "cpu": "tests.bench.cpu",
    "sinks": "tests.bench.sinks",
    "latency": "tests.bench.latency",
    "size": "tests.bench.size",
    "workers": "tests.bench.workers",
    "rebuild": "tests.bench.rebuild",
    "moves": "tests.bench.moves",
    "fat": "tests.bench.fat",
    "pipe": "tests.bench.pipe",
    "timers": "tests.bench.timers",
}
"""Module by name; imported when it runs, as some need what others do not."""


class Run(Protocol):
    def __call__(self, bench: Bench, /) -> None: ...


def load(part: str) -> Run:
    """Return what measures a part."""
    return cast("Run", import_module(PARTS[part]).run)
