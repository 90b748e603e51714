"""Progress as an operator sees it: how far, how fast, how long yet. On a terminal alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infra.cli.case.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, Task


@contextmanager
def progress_bars(out: Output) -> Iterator[Progress]:
    """Bars on a terminal's standard error, nothing elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _rate_column(),
        TimeRemainingColumn(),
    )
    shown = out.errors.is_terminal and not out.as_json
    with Progress(*columns, console=out.errors, transient=True, disable=not shown) as progress:
        yield progress


def _rate_column() -> Any:
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "-", style="progress.data.speed")

    return Rate()


class Counted:
    """One bar, which several threads move. seconds: since it began."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self.done = 0

    def move(self, count: int) -> None:
        with self._lock:
            self.done += count
            self._progress.update(self._task, completed=self.done)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began
