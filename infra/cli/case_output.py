"""What the user sees: tables that fit, times of his zone, JSON for scripts. Text of others is shown inert."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.case_problem import Problem
from streams.text import sanitize

PRIORITY_STYLES: Final = {
    "P1": "bold red",
    "P2": "red",
    "P3": "yellow",
    "P4": "cyan",
    "P5": "dim",
    "NOT_DEFINED": "dim",
}
STATUS_STYLES: Final = {"OPEN": "bold yellow", "IN_PROGRESS": "bold blue", "CLOSED": "green"}

# Wide enough for a pipe: `grep` and `less -S` want whole lines.
_PIPE_WIDTH: Final = 240


class Output:
    """Where a command writes: results to standard output, everything else to standard error."""

    def __init__(self, *, as_json: bool, file: IO[str] | None = None, errors: IO[str] | None = None) -> None:
        self.as_json = as_json
        self.console = _console(file or sys.stdout)
        self.errors = _console(errors or sys.stderr)

    def json(self, document: Any) -> None:
        """Write the document as JSON: indented for a person, on one line for a pipe."""
        indent = 2 if self.console.is_terminal else None
        self.console.file.write(json.dumps(document, indent=indent, ensure_ascii=False) + "\n")
        self.console.file.flush()

    def print(self, *parts: Text | str | Table) -> None:
        for part in parts:
            self.console.print(part, highlight=False, soft_wrap=isinstance(part, str | Text))

    def note(self, text: str) -> None:
        """Say something beside the result; scripts that read JSON do not get it."""
        if not self.as_json:
            self.errors.print(Text(text, style="dim"), highlight=False, soft_wrap=True)

    def problem(self, problem: Problem) -> None:
        """Say what went wrong and what to do next, on standard error."""
        if self.as_json:
            error = {"detail": problem.message, "code": problem.code, "hint": problem.hint}
            self.errors.file.write(json.dumps({"errors": [error]}, ensure_ascii=False) + "\n")
            return
        message = clean(problem.message)
        said = f"{message[:1].upper()}{message[1:]}".rstrip(".") + "."
        self.errors.print(Text.assemble(("Error: ", "bold red"), said), highlight=False, soft_wrap=True)
        if problem.hint:
            self.errors.print(Text(problem.hint, style="dim"), highlight=False, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Text | str]], *, wide: Sequence[str] = ()) -> None:
        """Write rows. Columns named in `wide` take what room is left, and are cut with an ellipsis."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=False)
        for column in columns:
            table.add_column(column, no_wrap=True, overflow="ellipsis", ratio=1 if column in wide else None)
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
        self.console.print(table)


def _console(file: IO[str]) -> Console:
    width = None if file.isatty() else _PIPE_WIDTH
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def clean(text: str, *, multiline: bool = False) -> str:
    """Return text that does nothing to a terminal but show itself."""
    return sanitize(text, multiline=multiline)


def parse_time(value: Any) -> datetime | None:
    """Return the time that the API wrote, None where there is none."""
    if not isinstance(value, str) or not value:
        return None
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def local(value: Any) -> str:
    """Return a time in the user's zone: `2026-03-01 14:05`."""
    at = parse_time(value)
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M}"


def ago(value: Any, now: datetime | None = None) -> str:
    """Return how long ago a time was, in one unit: `5 min ago`."""
    at = parse_time(value)
    if at is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    size, unit = next(
        (s, u) for s, u in ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min"), (0.5, "s")) if abs(seconds) >= s
    )
    amount = int(abs(seconds) // size) if size > 1 else int(abs(seconds))
    return f"in {amount} {unit}" if seconds < 0 else f"{amount} {unit} ago"


def when(value: Any, now: datetime | None = None) -> str:
    """Return a time both ways: `2026-03-01 14:05 (5 min ago)`."""
    return f"{local(value)} ({ago(value, now)})" if value else ""


def priority(value: str) -> Text:
    return Text("-" if value == "NOT_DEFINED" else value, style=PRIORITY_STYLES.get(value, ""))


def status(value: str, name: str = "") -> Text:
    return Text(clean(name) or value, style=STATUS_STYLES.get(value, ""))
