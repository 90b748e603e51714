"""`casestream up --detach`: a supervisor in the background, followed until its stack is ready. And `casestream down`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Final

import psutil
from rich.console import Console

from infra.cli.stack import status as stack_status
from infra.cli.stack.folder import DEFAULT, Folder
from infra.cli.stack.foreground import FAILED, INTERRUPTED
from infra.cli.stack.options import Options
from infra.cli.stack.signals import Interrupted, Signals
from infra.cli.stack.view import say_how_to_try, view
from infra.engines import leftover
from infra.engines.process import rotate, tail
from infra.runtime.errors import CasestreamError

POLL_SECONDS: Final = 0.1
STOP_SECONDS: Final = 120.0


class NotStopped(CasestreamError):  # noqa: N818 - named after what happened
    """A supervisor did not stop."""


def up(options: Options, out: Console, errors: Console) -> int:
    """Start a supervisor and return when its stack is ready (0), or could not be brought up (1).

    Ctrl-C meanwhile stops it. Raises DataInUse where one runs on the folder.
    """
    folder = Folder.at(options.data_dir)
    folder.create()
    # Asks whether the folder is free, and gives it back for the supervisor to take.
    os.close(folder.hold())
    folder.remove_status()
    log = folder.log("supervisor")
    rotate(log)
    with Signals() as signals:
        with log.open("ab") as file:
            began = file.tell()
            # -P: a folder of the user's that happens to be called `infra` is not our package.
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "infra.cli.stack.command", "up", *options.argv()],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=folder.root,
                start_new_session=True,
            )
        try:
            signals.raising = True
            failure = _follow(child, folder, out)
        except Interrupted:
            signals.raising = False
            child.send_signal(signal.SIGTERM)
            child.wait()
            return INTERRUPTED
        finally:
            signals.raising = False
    if failure is None:
        stack = folder.read_stack()
        say_how_to_try(out, stack, folder=str(folder.root), default_folder=folder.root == DEFAULT.absolute())
        return 0
    errors.print(failure or tail(log, 20, since=began), style="red", markup=False, highlight=False, soft_wrap=True)
    return FAILED


def _follow(child: subprocess.Popen[bytes], folder: Folder, out: Console) -> str | None:
    """Show what the supervisor does. Returns None once it is ready, else why it ended; "" where it did not say."""
    with view(out) as shown:
        while True:
            ended = child.poll() is not None
            said = stack_status.read(folder)
            snapshot = said.snapshot
            if snapshot is not None and (ended or said.supervisor == child.pid):
                shown(snapshot)
                if snapshot.phase == "ready":
                    return None
            if ended:
                return snapshot.failure if snapshot is not None else ""
            time.sleep(POLL_SECONDS)


def down(folder: Folder, out: Console) -> bool:
    """Stop the stack on a folder and return whether one ran. What a killed supervisor left behind is ended as well.

    Raises NotStopped.
    """
    supervisor = _supervisor(folder)
    if supervisor is None:
        left = [*leftover.end(folder.role_pids), *leftover.end(folder.engine_pids)]
        folder.remove_stack()
        folder.remove_status()
        return bool(left)
    try:
        os.kill(supervisor, signal.SIGTERM)
    except ProcessLookupError:
        return True
    except PermissionError as error:
        owner = psutil.Process(supervisor).username()
        raise NotStopped(
            f"the stack on {folder.root} is {owner}'s (process {supervisor}): only {owner} can stop it"
        ) from error
    deadline = time.monotonic() + STOP_SECONDS
    with view(out, last=stack_status.read(folder).snapshot) as shown:
        while folder.supervisor() == supervisor:
            said = stack_status.read(folder)
            if said.snapshot is not None:
                shown(said.snapshot)
            if time.monotonic() > deadline:
                raise NotStopped(
                    f"process {supervisor} did not stop in {STOP_SECONDS:.0f} s. `kill -9 {supervisor}` ends it with "
                    "all that it runs; nothing that was acknowledged is lost"
                )
            time.sleep(POLL_SECONDS)
    return True


def _supervisor(folder: Folder) -> int | None:
    """Return the supervisor's process id; one that has just taken the folder is given a moment to say it."""
    for _ in range(20):
        supervisor = folder.supervisor()
        if supervisor != 0:
            return supervisor
        time.sleep(POLL_SECONDS)
    raise NotStopped(f"another process holds {folder.root} and does not say which it is")
