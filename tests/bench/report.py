"""What a run of the benchmarks says: progress while it measures, one line a figure, a table or JSON at the end."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    what: str
    value: float
    unit: str
    beside: tuple[str, float] | None = None
    name: str | None = None
    """By which a program finds it in the JSON, under its part's."""


@dataclass(slots=True)
class Report:
    """Figures in the order in which they were measured. part: the one that is measured now."""

    figures: list[Figure] = field(default_factory=list)
    named: dict[str, dict[str, float]] = field(default_factory=dict)
    part: str = ""
    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self.began:6.1f} s[/dim]  {text}")

    def add(
        self, what: str, value: float, unit: str, *, beside: tuple[str, float] | None = None, name: str | None = None
    ) -> None:
        figure = Figure(what=what, value=value, unit=unit, beside=beside, name=name)
        self.figures.append(figure)
        if name is not None:
            self.note(name, value)
        self.say(f"[bold]{what}: {_number(value)} {unit}[/bold]{_beside(figure)}")

    def note(self, name: str, value: float) -> None:
        """Write a figure to the JSON alone, under the part that is measured now."""
        self.named.setdefault(self.part, {})[name] = value

    def progress(self, total: int) -> Callable[[int], None]:
        """Return what shows how far long work is; it goes away by itself."""
        bar = Progress(TextColumn("        "), BarColumn(), MofNCompleteColumn(), console=self.console, transient=True)
        task = bar.add_task("", total=total)
        bar.start()

        def tell(done: int) -> None:
            bar.update(task, completed=done)
            if done >= total:
                bar.stop()

        return tell

    def table(self) -> Table:
        table = Table(title=machine(), title_justify="left", title_style="dim", box=None, pad_edge=False)
        for name, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("beside it", "left")):
            table.add_column(name, justify=justify)  # type: ignore[arg-type] # a Literal in rich
        for figure in self.figures:
            table.add_row(figure.what, _number(figure.value), figure.unit, _beside(figure).strip(" ()"))
        return table

    def to_json(self) -> str:
        document: dict[str, Any] = {
            **self.named,
            "machine": machine(),
            "figures": [asdict(figure) for figure in self.figures],
        }
        return json.dumps(document, indent=1)


def machine() -> str:
    """Return on what these figures were measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}, {sys.platform}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _beside(figure: Figure) -> str:
    return "" if figure.beside is None else f"  ({figure.beside[1]:.2f} {figure.beside[0]})"
