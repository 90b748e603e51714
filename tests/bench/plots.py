"""Draws figures against size and against workers: `python -m tests.bench.plots FILE...`, files as `--json` writes them.

Of a figure that stands in several files the last one counts. A plot whose figures are in none is left as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from tests.bench.report import short
from tests.bench.targets import TARGETS, Target
from tests.wheel import ROOT

FOLDER: Final = ROOT / "infra/docs/figures"
_INK: Final = "#1f2933"
_COLOURS: Final = ("#1d6fb8", "#c2571a", "#2f855a", "#7b4bab")
_FLOOR: Final = "#8a94a0"
_MUST: Final = "#b3261e"
_AIM: Final = "#1e7d4f"

Points = Mapping[tuple[str, str], Mapping[int | None, float]]
"""Values by part and name, and by what they were measured at (None: they depend on no size)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure as a line; with floor, as what it cannot be better than."""

    part: str
    name: str
    label: str
    floor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes. target: of part and name, as lines across."""

    y: str
    lines: tuple[Line, ...]
    target: Target | None = None
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One file. sizes: whether x are sizes, on a logarithmic axis."""

    name: str
    title: str
    x: str
    panels: tuple[Panel, ...]
    sizes: bool = True


PLOTS: Final = (
    Plot(
        name="recovery",
        title="Recovery of a table of cases, rows of 1 KB",
        x="keys",
        panels=(
            Panel(
                y="seconds",
                lines=(
                    Line(part="size", name="ready_s", label="start of a worker to ready"),
                    Line(part="size", name="recovery_floor_s", label="bare loop into a dict", floor=True),
                ),
                target=TARGETS["size", "ready_s"],
                logarithmic=True,
            ),
        ),
    ),
    Plot(
        name="memory",
        title="Resident memory of a worker, rows of 1 KB",
        x="cases",
        panels=(
            Panel(
                y="GB",
                lines=(
                    Line(part="size", name="resident_gb", label="recovered"),
                    Line(part="size", name="folded_gb", label="after 40 000 commands"),
                    Line(part="size", name="raw_gb", label="bytes of keys and rows", floor=True),
                ),
                target=TARGETS["size", "resident_gb"],
                logarithmic=True,
            ),
        ),
    ),
    Plot(
        name="fold_size",
        title="Case fold against the size of the table, one worker",
        x="cases in the table",
        panels=(
            Panel(
                y="commands/s",
                lines=(
                    Line(part="size", name="case_fold_per_s", label="commands about any of them"),
                    Line(part="fold", name="codec_floor_per_s", label="bare loop with codec", floor=True),
                ),
                target=TARGETS["fold", "case_fold_per_s"],
            ),
            Panel(
                y="CPU of a command, us",
                lines=(Line(part="size", name="case_fold_cpu_us", label="the worker's process"),),
            ),
        ),
    ),
    Plot(
        name="workers",
        title="Case fold against workers, engines on the same 2 cores",
        x="workers",
        sizes=False,
        panels=(
            Panel(
                y="commands/s, all together",
                lines=(
                    Line(part="workers", name="case_fold_per_s", label="case fold"),
                    Line(part="fold", name="codec_floor_per_s", label="bare loop with codec, one process", floor=True),
                ),
                target=TARGETS["fold", "case_fold_per_s"],
            ),
            Panel(
                y="CPU of a command, us",
                lines=(Line(part="workers", name="case_fold_cpu_us", label="all workers' processes"),),
            ),
        ),
    ),
    Plot(
        name="rebuild",
        title="Rebuild of the views from the log",
        x="case events",
        panels=(
            Panel(
                y="seconds",
                lines=(
                    Line(part="rebuild", name="both_s", label="both"),
                    Line(part="rebuild", name="postgres_s", label="Postgres"),
                    Line(part="rebuild", name="elasticsearch_s", label="Elasticsearch"),
                    Line(part="rebuild", name="floor_s", label="reading and decoding the events", floor=True),
                ),
                target=TARGETS["rebuild", "both_s"],
                logarithmic=True,
            ),
        ),
    ),
)


def points(figures: Iterable[Mapping[str, Any]]) -> Points:
    """Return the figures that have a name, as `--json` writes them."""
    found: dict[tuple[str, str], dict[int | None, float]] = {}
    for figure in figures:
        if figure["name"] is not None:
            found.setdefault((figure["part"], figure["name"]), {})[figure["at"]] = figure["value"]
    return found


def draw(found: Points, folder: Path = FOLDER) -> list[Path]:
    """Draw every plot that there are figures for, and return the files."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    return [path for plot in PLOTS if (path := _draw(plot, found, folder)) is not None]


def _draw(plot: Plot, found: Points, folder: Path) -> Path | None:
    if not any(found.get((line.part, line.name)) for panel in plot.panels for line in panel.lines if not line.floor):
        return None
    with mpl.rc_context({"font.size": 10, "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _FLOOR}):
        sheet = Sheet(figsize=(6.4 * len(plot.panels), 4.0), dpi=110, facecolor="white", layout="constrained")
        sheet.suptitle(plot.title, fontsize=11, x=0.01, ha="left")
        for axes, panel in zip(sheet.subplots(1, len(plot.panels), squeeze=False)[0], plot.panels, strict=True):
            _panel(axes, plot, panel, found)
        path = folder / f"{plot.name}.png"
        # Without the version of the library and a date the same figures give the same file.
        sheet.savefig(path, metadata={"Software": None})
    return path


def _panel(axes: Axes, plot: Plot, panel: Panel, found: Points) -> None:
    colours = iter(_COLOURS)
    ticks: set[int] = set()
    for line in panel.lines:
        values = found.get((line.part, line.name), {})
        at = sorted(size for size in values if size is not None)
        ticks.update(at)
        colour = _FLOOR if line.floor else next(colours)
        label = f"floor: {line.label}" if line.floor else line.label
        if at:
            style = "--" if line.floor else "-"
            axes.plot(at, [values[x] for x in at], style, marker="o", markersize=4, color=colour, label=label)
        elif None in values:
            axes.axhline(values[None], linestyle="--", color=colour, label=label)
    if panel.target is not None:
        where = "" if panel.target.at is None else f" at {short(panel.target.at)}"
        for name, value, colour in (("must", panel.target.must, _MUST), ("aim", panel.target.aim, _AIM)):
            axes.axhline(value, linestyle=":", linewidth=1.4, color=colour, label=f"{name}{where}: {value:,g}")
    if plot.sizes:
        axes.set_xscale("log")
    axes.set_xticks(sorted(ticks), [short(x) for x in sorted(ticks)])
    axes.minorticks_off()
    if panel.logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, axes.get_ylim()[1] * 1.12)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_xlabel(plot.x)
    axes.set_ylabel(panel.y)
    axes.grid(axis="y", color="#e6e9ed", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def main(files: Sequence[str]) -> int:
    if not files:
        print("usage: python -m tests.bench.plots FILE..., as --json wrote them", file=sys.stderr)
        return 2
    figures = [figure for file in files for figure in json.loads(Path(file).read_text())["figures"]]
    for path in draw(points(figures)):
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
