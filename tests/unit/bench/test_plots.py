"""Plots are drawn of the figures that there are, and the same figures give the same file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench import plots

PNG = b"\x89PNG"


def figures() -> Iterator[dict[str, Any]]:
    for plot in plots.PLOTS:
        for panel in plot.panels:
            for line in panel.lines:
                for n, at in enumerate((10_000, 100_000, 1_000_000) if plot.sizes else (1, 2, 4)):
                    yield {"part": line.part, "name": line.name, "at": at, "value": 10.0 * (n + 1)}


def test_every_plot_is_drawn_once_its_figures_are_there(tmp_path: Path) -> None:
    drawn = plots.draw(plots.points(figures()), tmp_path)

    assert [path.stem for path in drawn] == [plot.name for plot in plots.PLOTS]
    assert all(path.read_bytes().startswith(PNG) for path in drawn)


def test_a_plot_without_figures_is_left_alone(tmp_path: Path) -> None:
    only = [figure for figure in figures() if figure["part"] == "workers"]

    assert [path.stem for path in plots.draw(plots.points(only), tmp_path)] == ["workers"]


def test_the_same_figures_give_the_same_files(tmp_path: Path) -> None:
    found = plots.points(figures())

    for one, other in zip(plots.draw(found, tmp_path / "a"), plots.draw(found, tmp_path / "b"), strict=True):
        assert one.read_bytes() == other.read_bytes()
