"""How a start tells what it does: a protocol, silence, and a terminal."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars


class Progress(Protocol):
    """Hears what a start does. Called from several threads at once."""

    def state(self, name: str, state: str) -> None:
        """`name` (an engine, or "download") is now in `state`: a few words for a person."""
        ...

    def expect(self, files: int, size: int) -> None:
        """`files` files of `size` bytes in all will be downloaded."""
        ...

    def arrived(self, file: str, size: int) -> None:
        """`size` more bytes of `file` came; negative where a file is tried again."""
        ...

    def note(self, text: str) -> None:
        """Something that a person should know."""
        ...


class Quiet:
    """Says nothing."""

    def state(self, name: str, state: str) -> None:
        pass

    def expect(self, files: int, size: int) -> None:
        pass

    def arrived(self, file: str, size: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class Terminal:
    """One line a state, and a bar while files come. A context: the bar is taken down at its end."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars: Bars | None = None
        self._task = TaskID(0)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar down."""
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None

    def state(self, name: str, state: str) -> None:
        if name == "download" and state == "done":
            self.close()
        self._console.print(f"[bold]{name:<14}[/] {state}", highlight=False)

    def expect(self, files: int, size: int) -> None:
        bars = Bars(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        with self._lock:
            self._task = bars.add_task(f"{files} files, once", total=size)
            self._bars = bars
        bars.start()

    def arrived(self, file: str, size: int) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.update(self._task, advance=size, description=file[:36])

    def note(self, text: str) -> None:
        self._console.print(text, style="yellow", highlight=False)
