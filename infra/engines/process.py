"""One server as a child process: on a leash, its output in a file, its end explained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from infra.runtime.errors import EngineDied, EngineError, NoMemory, NoSpace, PortTaken

LEASH: Final = Path(__file__).with_name("leash.py")
PROBE_SECONDS: Final = 0.05
KEEP_BYTES: Final = 16 * 1024 * 1024

# A leash is held by the *thread* that started the child, so all children are started by one that lives as long as the
# process does.
_spawner: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")

_HINTS: Final[Sequence[tuple[str, type[EngineError], str]]] = (
    ("No space left on device", NoSpace, "Its disk is full: free some space, or choose another --data-dir."),
    ("Disk quota exceeded", NoSpace, "The disk quota is used up: free some space, or choose another --data-dir."),
    ("OutOfMemoryError", NoMemory, "It ran out of memory: stop other programs and start again."),
    ("insufficient memory", NoMemory, "The machine has too little free memory: stop other programs and start again."),
    ("Cannot allocate memory", NoMemory, "The machine has too little free memory: stop other programs."),
    ("Address already in use", PortTaken, "Another process took its port meanwhile: start again to get another one."),
    ("BindException", PortTaken, "Another process took its port meanwhile: start again to get another one."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. user: "uid:gid", or None for the caller's own. env: added to a small, known environment."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None


class Process:
    """A server that can be started, watched, stopped, killed and started again.

    name: for people. log: takes its output, which is appended. stop_signal: asks it to end in order; it also gets this
    one when this process is gone. stop_seconds: how long it may take before it is killed.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 20.0,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._began = 0

    @property
    def pid(self) -> int | None:
        """Its process id while it runs, else None."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal); None while it runs or before its first start."""
        return None if self._child is None else self._child.poll()

    def start(self, command: Command) -> None:
        """Start it. The caller waits for it with `wait_ready`."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(self.log)
        argv = [
            *(sys.executable, "-I", "-S", str(LEASH)),
            *(str(os.getpid()), str(int(self._stop_signal)), command.user or "-", "--"),
            *command.argv,
        ]
        env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "TZ") if name in os.environ}
        with open(self.log, "ab", opener=_private) as log:
            self._began = log.tell()
            self._child = _spawner.submit(
                subprocess.Popen[bytes],
                argv,
                cwd=command.cwd,
                env={**env, "LC_ALL": "C", **command.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ).result()

    def wait_ready(self, probe: Callable[[], bool], *, seconds: float) -> None:
        """Return once `probe` says yes. Raises EngineDied, or what explains it, where the process ends or is too slow."""
        deadline = time.monotonic() + seconds
        while not probe():
            if self.pid is None:
                raise self.explain()
            if time.monotonic() > deadline:
                raise EngineDied(f"{self.name} was not ready in {seconds:.0f} s. {self._where()}")
            time.sleep(PROBE_SECONDS)

    def explain(self) -> EngineError:
        """Return why it ended, as an error that shows its last words and says what to do."""
        code = self.exit_code
        how = f"exit code {code}" if code is None or code >= 0 else f"signal {signal.Signals(-code).name}"
        said = self.tail(40)
        for mark, kind, advice in _HINTS:
            if mark in said:
                return kind(f"{self.name} ended ({how}). {advice} {self._where()}")
        advice = "Somebody or the system's out-of-memory killer ended it. " if code == -signal.SIGKILL else ""
        return EngineDied(f"{self.name} ended ({how}). {advice}{self._where()}")

    def tail(self, lines: int) -> str:
        """Return the last lines that it wrote since its last start."""
        return tail(self.log, lines, since=self._began)

    def stop(self) -> None:
        """Ask it to end, wait, and kill it where it does not. Nothing where it does not run."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        child.send_signal(self._stop_signal)
        try:
            child.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and its children at once, as a crash does, and wait until they are gone."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        family: list[psutil.Process] = []
        try:
            own = psutil.Process(child.pid)
            # Stopped first, so that it cannot make another child meanwhile.
            own.suspend()
            family = own.children(recursive=True)
        except psutil.NoSuchProcess:
            pass
        child.kill()
        child.wait()
        for relative in family:
            try:
                relative.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, timeout=10)

    def _where(self) -> str:
        said = self.tail(12)
        return f"Its last words, from {self.log}:\n{said}" if said else f"It said nothing in {self.log}."


def tail(log: Path, lines: int, *, since: int = 0) -> str:
    """Return the last lines of a file from byte `since` on; "" where there is none."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = since if since <= end else 0
            file.seek(max(start, end - 64 * 1024))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def rotate(log: Path) -> None:
    """Move what is in a log that has grown too long to NAME.1 and empty it.

    Its writer keeps the file open for appending, so the content is copied. Lines written in that moment may be lost.
    """
    try:
        if log.stat().st_size <= KEEP_BYTES:
            return
        old = log.with_name(log.name + ".1")
        with log.open("r+b") as file, open(old, "wb", opener=_private) as copy:
            while piece := file.read(1024 * 1024):
                copy.write(piece)
            file.truncate(0)
    except OSError:
        return


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
