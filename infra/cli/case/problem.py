"""What ends a command of `case-cli`: a sentence, what to do next, and an exit code. No I/O."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """The exit codes, for scripts."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNAVAILABLE = 5
    PENDING = 6
    BUG = 70
    INTERRUPTED = 130


EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 refused; 2 wrong arguments; 3 not found; 4 keys missing or wrong; "
    "5 the API or an engine behind it is away; 6 taken, but the outcome is not known yet; 130 interrupted."
)


class Problem(Exception):  # noqa: N818 - it is no defect, it is read aloud
    """Something that the user should hear. `hint` says what to do next; `code` is the API's stable code.

    details: the faults as the API gave them, for `--json`.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        exit_code: Exit = Exit.REFUSED,
        code: str = "",
        details: tuple[dict[str, object], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.code = code
        self.details = details


def usage(message: str, hint: str) -> Problem:
    """Return the problem of arguments that make no sense."""
    return Problem(message, hint=hint, exit_code=Exit.USAGE)
