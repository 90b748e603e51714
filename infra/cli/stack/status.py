"""How far a stack is: written by its supervisor as it changes, read by `status`, `down` and `up --detach`."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any, Final, Self

from infra.cli.stack.board import Board, Snapshot
from infra.cli.stack.folder import Folder

PAUSE_SECONDS: Final = 0.15


class Exit(IntEnum):
    """How `casestream status` ends."""

    READY = 0
    DEGRADED = 1
    NOT_RUNNING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """supervisor: its process id; None where none runs. snapshot: what it said last, None where it never said anything."""

    supervisor: int | None
    snapshot: Snapshot | None

    @property
    def state(self) -> str:
        """One word: ready, starting, degraded, stopping, failed, killed or stopped."""
        phase = self.snapshot.phase if self.snapshot is not None else None
        if self.supervisor is None:
            # A supervisor that stops in order takes its status away.
            return "stopped" if phase is None else "failed" if phase == "failed" else "killed"
        match phase:
            case "ready":
                return "ready" if self.snapshot is not None and self.snapshot.ready else "degraded"
            case "stopping" | "stopped" | "failed":
                return phase
            case _:
                return "starting"

    @property
    def exit(self) -> Exit:
        if self.supervisor is None:
            return Exit.NOT_RUNNING
        return Exit.READY if self.state == "ready" else Exit.DEGRADED

    def to_json(self, folder: Folder) -> dict[str, Any]:
        """Return what `status --json` prints: `lines` has one entry for each engine and role."""
        running = self.supervisor is not None
        said = self.snapshot.to_json() if self.snapshot is not None else {}
        if not running:
            # What ran is gone: neither pids nor readiness of then are true now.
            said = {name: said[name] for name in ("failure",) if said.get(name)}
        return {
            "state": self.state,
            "running": running,
            "supervisor": self.supervisor,
            "data_dir": str(folder.root),
            **said,
            "ready": self.state == "ready",
        }


def read(folder: Folder) -> Status:
    """Return the status of the stack on a data folder."""
    supervisor = folder.supervisor()
    said = folder.read_status()
    if said and supervisor is not None and said.get("supervisor") != supervisor:
        # A new supervisor has not said anything yet.
        said = {}
    return Status(supervisor=supervisor, snapshot=Snapshot.from_json(said) if said else None)


class StatusFile:
    """Writes the board to the folder at each change, a few times a second at most. A context: the last state is kept."""

    def __init__(self, folder: Folder, board: Board) -> None:
        self._folder = folder
        self._board = board
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def __enter__(self) -> Self:
        self._write()
        self._board.listeners.append(self._on_change)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.listeners.remove(self._on_change)
        self._closing.set()
        self._changed.set()
        self._thread.join()
        self._write()

    def _on_change(self, _snapshot: Snapshot) -> None:
        self._changed.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            self._changed.clear()
            self._write()
            self._closing.wait(PAUSE_SECONDS)

    def _write(self) -> None:
        self._folder.write_status({"supervisor": os.getpid(), **self._board.snapshot.to_json()})
