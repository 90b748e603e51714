"""`casestream up`: one supervisor in this process, shown as it works, until it is asked to stop."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from typing import Final

from rich.console import Console

from infra.cli.role import STACK
from infra.cli.stack.board import DOWN, Board, Kind, new
from infra.cli.stack.folder import DEFAULT, Folder
from infra.cli.stack.options import Options
from infra.cli.stack.signals import Interrupted, Signals
from infra.cli.stack.status import StatusFile
from infra.cli.stack.supervisor import Supervisor
from infra.cli.stack.view import PlainLines, say_how_to_try, view
from infra.runtime.errors import CasestreamError
from migrations.roles import RoleRefused
from migrations.runner import MigrationRefused

FAILED: Final = 1
INTERRUPTED: Final = 130
_TOLD: Final = (CasestreamError, MigrationRefused, RoleRefused)
"""Their messages say what to do. Whatever else comes is shown with its type, and its traceback is logged."""


def board(engines: Iterable[str]) -> Board:
    """Return a board with a line for each engine and role."""
    kinds: dict[str, Kind] = {**dict.fromkeys(engines, "engine"), **dict.fromkeys(STACK, "role")}
    return new(kinds)


def run(options: Options, out: Console, errors: Console) -> int:
    """Bring the stack up, keep it, stop it when asked. Returns an exit code: 0 where it was ready and stopped in order.

    Raises DataInUse where a stack runs on the folder, CasestreamError where it cannot be written.
    """
    folder = Folder.at(options.data_dir)
    folder.create()
    names = options.engine_names
    held = folder.hold()
    try:
        with Signals() as signals:
            told = board(names)
            with StatusFile(folder, told):
                code = _run(options, folder, told, signals, out, errors)
            if code != FAILED:
                # What failed is left to be read: `casestream status` tells why.
                folder.remove_status()
            return code
    finally:
        os.close(held)


def _run(options: Options, folder: Folder, told: Board, signals: Signals, out: Console, errors: Console) -> int:
    supervisor = Supervisor(options, folder, told)
    failure: str | None = None
    with view(out) as shown:
        told.listeners.append(shown)
        try:
            signals.raising = True
            stack = supervisor.up()
            signals.raising = False
        except Interrupted:
            _stop(supervisor, told)
            told.stopped(also={DOWN})
            told.phase("stopped")
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - whatever it is, all is stopped and it is told
            signals.raising = False
            failure = explain(error, folder)
            _stop(supervisor, told)
            told.phase("failed", failure=failure)
        finally:
            signals.raising = False
            told.listeners.remove(shown)
    if failure is not None:
        errors.print(failure, style="red", markup=False, highlight=False, soft_wrap=True)
        return FAILED
    say_how_to_try(out, stack, folder=str(folder.root), default_folder=folder.root == DEFAULT.absolute())
    out.print("Ctrl-C stops it." if out.is_terminal else f"ready: {stack['http']}", style="bold", highlight=False)
    lines = PlainLines(out, last=told.snapshot)
    told.listeners.append(lines)
    supervisor.keep(lambda: signals.asked)
    _stop(supervisor, told)
    told.phase("stopped")
    told.listeners.remove(lines)
    return 0


def _stop(supervisor: Supervisor, told: Board) -> None:
    told.phase("stopping")
    supervisor.stop()


def explain(error: Exception, folder: Folder) -> str:
    """Return what a person should read; the traceback of an error that nobody foresaw goes to the supervisor's log."""
    if isinstance(error, _TOLD):
        return str(error)
    log = folder.log("supervisor")
    with log.open("a") as file:
        file.write("".join(traceback.format_exception(error)))
    return f"{type(error).__name__}: {error}\nThe traceback is in {log}."
