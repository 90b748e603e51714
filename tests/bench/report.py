"""What a run of the benchmarks says: progress while it measures, one line a figure, a table or JSON at the end."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from tests.bench.targets import TARGETS, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    part: str
    what: str
    value: float
    unit: str
    beside: tuple[str, float] | None = None
    name: str | None = None
    """By which a program finds it in the JSON, under its part's."""
    at: int | None = None
    """The size or number of workers at which it was measured, where there are several."""

    @property
    def target(self) -> Target | None:
        target = TARGETS.get((self.part, self.name or ""))
        return target if target is None or target.at in {None, self.at} else None


@dataclass(slots=True)
class Report:
    """Figures in the order in which they were measured. part: the one that is measured now."""

    figures: list[Figure] = field(default_factory=list)
    named: dict[str, dict[str, float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """By part: why it gave no figures, or not all."""
    part: str = ""
    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self.began:6.1f} s[/dim]  {text}")

    def add(
        self,
        what: str,
        value: float,
        unit: str,
        *,
        beside: tuple[str, float] | None = None,
        name: str | None = None,
        at: int | None = None,
    ) -> None:
        """Say a figure. beside: what it is a share of, and the share. at: see `Figure`; its name in the JSON ends so."""
        figure = Figure(part=self.part, what=what, value=value, unit=unit, beside=beside, name=name, at=at)
        self.figures.append(figure)
        if name is not None:
            self.note(name if at is None else f"{name}_{short(at)}", value)
        self.say(f"[bold]{what}: {_number(value)} {unit}[/bold]{_beside(figure)}")

    def note(self, name: str, value: float) -> None:
        """Write a figure to the JSON alone, under the part that is measured now."""
        self.named.setdefault(self.part, {})[name] = value

    @contextmanager
    def measuring(self, part: str, sizes: tuple[int, ...]) -> Iterator[None]:
        """Measure a part in the block. An error ends the part and not the run; a figure that must be there and is not, too."""
        self.part = part
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the other parts are to run whatever broke here
            self.failed[part] = _why(error)
        except BaseException as ended:
            # Ctrl-C, or a signal: it ends the run, and not without a word about the figures that are not there.
            self.failed[part] = _why(ended)
            raise
        else:
            if missing := [name for name in _expected(part, sizes) if name not in self.named.get(part, {})]:
                self.failed[part] = f"ended without {', '.join(missing)}"
        if part in self.failed:
            self.say(f"[red]{part} failed after {time.monotonic() - began:.0f} s:[/red]")
            self.console.print(self.failed[part], markup=False)
        else:
            self.say(f"{part} took {time.monotonic() - began:.0f} s")

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
        for name in ("figure", "must", "aim", "measured", "unit", "verdict", "beside it"):
            table.add_column(name, justify="right" if name in {"must", "aim", "measured"} else "left")
        for figure in self.figures:
            target = figure.target
            limits = ("", "") if target is None else (_number(target.must), _number(target.aim))
            verdict = "" if target is None else target.verdict(figure.value)
            table.add_row(
                figure.what, *limits, _number(figure.value), figure.unit, verdict, _beside(figure).strip(" ()")
            )
        for part, why in self.failed.items():
            table.add_row(f"[red]{part}[/red]", "", "", "none", "", "failed", why.strip().splitlines()[-1])
        return table

    def to_json(self) -> str:
        document: dict[str, Any] = {
            **self.named,
            "machine": machine(),
            "figures": [asdict(figure) for figure in self.figures],
            "failed": self.failed,
        }
        return json.dumps(document, indent=1)


def machine() -> str:
    """Return on what these figures were measured."""
    return f"{cores()} cores, {platform.machine()}, Python {platform.python_version()}, {sys.platform}"


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def short(size: int) -> str:
    """Write a size as `--size` takes it: 10k, 1M."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


def _expected(part: str, sizes: tuple[int, ...]) -> Iterator[str]:
    for (of, name), target in TARGETS.items():
        if of == part and (target.at is None or target.at in sizes):
            yield name if target.at is None else f"{name}_{short(target.at)}"


def _why(error: BaseException) -> str:
    said = getattr(error, "stderr", None)
    text = said.decode(errors="replace") if isinstance(said, bytes) else said or ""
    return f"{text[-4_000:]}\n{type(error).__name__}: {error}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _beside(figure: Figure) -> str:
    return "" if figure.beside is None else f"  ({figure.beside[1]:.2f} {figure.beside[0]})"
