"""Where a command writes: results to standard output, everything else to standard error. JSON for scripts."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from typing import IO, Any, Final, NoReturn

from rich.console import Console
from rich.text import Text

from infra.cli.case.problem import Problem
from infra.cli.case.table import Column, lay_out
from infra.cli.case.text import clean

# A pipe has no width: `grep` and `less -S` want whole lines.
_ENDLESS: Final = 100_000


class Output:
    """Colours and cut columns on terminals; whole lines without either elsewhere."""

    def __init__(self, *, as_json: bool, file: IO[str] | None = None, errors: IO[str] | None = None) -> None:
        self.as_json = as_json
        self.console = _console(file or sys.stdout)
        self.errors = _console(errors or sys.stderr)

    def json(self, document: Any) -> None:
        """Write the document as JSON: indented for a person, on one line for a pipe."""
        indent = 2 if self.console.is_terminal else None
        self._write(json.dumps(document, indent=indent, ensure_ascii=False))

    def json_line(self, document: Any) -> None:
        """Write the document on one line, whoever reads it."""
        self._write(json.dumps(document, ensure_ascii=False, separators=(",", ":")))

    def _write(self, line: str) -> None:
        self.console.file.write(line + "\n")
        self.console.file.flush()

    def print(self, *parts: Text | str) -> None:
        for part in parts:
            self.console.print(part, highlight=False, soft_wrap=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Text | str]]) -> None:
        """Write rows under their headings; on a terminal they fit its width."""
        width = self.console.width if self.console.is_terminal else _ENDLESS
        self.print(*lay_out(columns, rows, width))

    def note(self, text: str) -> None:
        """Say something beside the result; scripts that read JSON do not get it."""
        if not self.as_json:
            self.errors.print(Text(clean(text), style="dim"), highlight=False, soft_wrap=True)

    def problem(self, problem: Problem) -> None:
        """Say what went wrong and what to do next, on standard error; with `--json` in the API's own form."""
        if self.as_json:
            details = list(problem.details) or [{"code": problem.code, "detail": problem.message}]
            document = {"errors": [problem.message], "details": details, "hint": problem.hint}
            self.errors.file.write(json.dumps(document, ensure_ascii=False) + "\n")
            self.errors.file.flush()
            return
        said = _sentence(clean(problem.message))
        self.errors.print(Text.assemble(("Error: ", "bold red"), said), highlight=False, soft_wrap=True)
        if problem.hint:
            self.errors.print(Text(clean(problem.hint), style="dim"), highlight=False, soft_wrap=True)


def _sentence(message: str) -> str:
    """Return a message as a sentence. A URL, a path or a field's name at its beginning is left as it is."""
    first = message.partition(" ")[0]
    begun = message[:1].upper() + message[1:] if first.isalpha() else message
    return begun.rstrip(".") + "."


class _Paper(Console):
    """A console that leaves a reader who has gone to the command, not to rich's exit code 1."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def _console(file: IO[str]) -> Console:
    return _Paper(file=file, width=None if file.isatty() else _ENDLESS, highlight=False, markup=False, emoji=False)


def open_streams() -> None:
    """Make standard output and error take any text: UTF-8 for pipes and files, `?` where a terminal knows no better."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def close_streams() -> None:
    """Send what is still buffered nowhere, for a reader who has gone, so that the interpreter ends without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue
    os.close(nowhere)
