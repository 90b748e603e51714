"""A stack's data folder: which files it has, who holds it, what is written there for people and clients."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.engines.state import write_private
from infra.runtime.errors import CasestreamError, DataInUse

DEFAULT: Final = Path(".casestream")


class NotRunning(CasestreamError):  # noqa: N818 - named after the state of things
    """No stack runs on this data folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """root: absolute."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> Folder:
        return cls(path.expanduser().absolute())

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    @property
    def role_pids(self) -> Path:
        return self.root / "roles.pids"

    @property
    def engine_pids(self) -> Path:
        """Written by the engines themselves."""
        return self.root / "engines.pids"

    def create(self) -> None:
        """Make the folder. Others may walk through it, because Postgres may run as another user, but not look into it."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711)
            self.logs.chmod(0o700)
        except OSError as error:
            raise CasestreamError(
                f"{self.root} cannot be written: {error.strerror}. Choose another --data-dir, or change its owner"
            ) from error

    def hold(self) -> int:
        """Take the folder for this process, for as long as it lives. Raises DataInUse where a stack runs on it."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise DataInUse(self._running_text()) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor

    def supervisor(self) -> int | None:
        """Return the process id of the supervisor that holds the folder, or None."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = os.pread(descriptor, 32, 0)
            return int(text) if text.strip().isdigit() else 0
        else:
            return None
        finally:
            os.close(descriptor)

    def write_stack(self, stack: dict[str, Any]) -> None:
        write_private(self._stack, json.dumps(stack, indent=2) + "\n")

    def read_stack(self) -> dict[str, Any]:
        """Return `stack.json`. Raises NotRunning where there is no ready stack."""
        try:
            stack: dict[str, Any] = json.loads(self._stack.read_text())
        except (OSError, ValueError) as error:
            raise NotRunning(
                f"there is no ready stack in {self.root}. `casestream up` starts one; `casestream status` shows how far "
                "one is that starts; --data-dir names another folder"
            ) from error
        return stack

    def remove_stack(self) -> None:
        self._stack.unlink(missing_ok=True)

    def write_status(self, status: dict[str, Any]) -> None:
        """Say what the supervisor does now. Not forced to the disk: after a crash of the machine it means nothing."""
        draft = self._status.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(status, file)
        draft.replace(self._status)

    def read_status(self) -> dict[str, Any]:
        """Return what the last supervisor said last; {} where there never was one."""
        try:
            status: dict[str, Any] = json.loads(self._status.read_text())
        except (OSError, ValueError):
            return {}
        return status

    def remove_status(self) -> None:
        self._status.unlink(missing_ok=True)

    def write_ports(self, ports: dict[str, int]) -> None:
        write_private(self._ports, json.dumps(ports, indent=1))

    def read_ports(self) -> dict[str, int]:
        """Return the roles' ports of the last start, by listener; {} before the first."""
        try:
            ports: dict[str, int] = json.loads(self._ports.read_text())
        except (OSError, ValueError):
            return {}
        return ports

    @property
    def _ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def _lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def _stack(self) -> Path:
        return self.root / "stack.json"

    @property
    def _status(self) -> Path:
        return self.root / "status.json"

    def _running_text(self) -> str:
        try:
            where = f" at {self.read_stack()['http']}"
        except (NotRunning, KeyError):
            where = ", and is not ready yet"
        return (
            f"a stack already runs on {self.root}{where}. `casestream status` shows it, `casestream down` stops it; "
            "a second one needs another --data-dir"
        )
