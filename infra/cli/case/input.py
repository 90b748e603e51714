"""What a command asks the person for: text from standard input, a yes."""

from __future__ import annotations

import sys

import typer

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, usage


def text_of(argument: str, out: Output) -> str:
    """Return the text that was given, or standard input where that is `-`. Raises Problem where it is no UTF-8."""
    if argument != "-":
        return argument
    if sys.stdin.isatty():
        out.note("Reading standard input; Ctrl-D ends it.")
    try:
        return sys.stdin.buffer.read().decode().rstrip("\n")
    except UnicodeDecodeError as error:
        raise usage(
            f"standard input is not UTF-8 (byte {error.start})", "Convert it first, for example with iconv."
        ) from None


def sure(question: str) -> None:
    """Go on only after a yes. Raises Problem where nobody can answer; leaves with exit code 1 after a no."""
    if not sys.stdin.isatty():
        raise usage(f"nobody is there to answer: {question}", "Say yes beforehand with --yes.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(int(Exit.REFUSED))
