"""What a stack is doing, as a value: written by its supervisor from many threads, read by views and by `status`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

Kind: TypeAlias = Literal["engine", "role"]
Phase: TypeAlias = Literal[
    "downloading", "engines", "preparing", "roles", "tenants", "ready", "stopping", "stopped", "failed"
]

WAITING: Final = "waiting"
STARTING: Final = "starting"
READY: Final = "ready"
UNREADY: Final = "not ready"
DOWN: Final = "down"
STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One engine or role. state: waiting, starting, ready, not ready, down or stopped. note: why, for a person. since: Unix time."""

    name: str
    kind: Kind
    state: str = WAITING
    note: str = ""
    pid: int | None = None
    restarts: int = 0
    megabytes: int | None = None
    since: float = 0.0

    @property
    def ready(self) -> bool:
        return self.state == READY


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A stack at one moment. download: (bytes that came, bytes in all, file). began: Unix time."""

    phase: Phase
    began: float
    lines: tuple[Line, ...] = ()
    download: tuple[int, int, str] | None = None
    notes: tuple[str, ...] = ()
    failure: str = ""
    ready_seconds: float | None = None
    ready_megabytes: int | None = None

    @property
    def megabytes(self) -> int:
        return sum(line.megabytes or 0 for line in self.lines)

    @property
    def ready(self) -> bool:
        """Whether the stack was brought up and all of it is ready now."""
        return self.phase == "ready" and all(line.ready for line in self.lines)

    def ready_among(self, names: Collection[str]) -> bool:
        """Whether all of these are ready now, however far the rest is."""
        return all(line.ready for line in self.lines if line.name in names)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ready": self.ready, "megabytes": self.megabytes}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Snapshot:
        known = {name: document[name] for name in cls.__slots__ if name in document}
        known["lines"] = tuple(Line(**line) for line in known.get("lines", ()))
        known["notes"] = tuple(known.get("notes", ()))
        if known.get("download") is not None:
            known["download"] = tuple(known["download"])
        return cls(**known)


@dataclass(slots=True)
class Board:
    """Holds the snapshot and tells who listens of every change. Also the `Progress` of the engines."""

    snapshot: Snapshot
    listeners: list[Callable[[Snapshot], None]] = field(default_factory=list)
    _lock: Any = field(default_factory=threading.RLock)

    def phase(self, phase: Phase, *, failure: str = "") -> None:
        self._change(phase=phase, failure=failure)

    def ready(self, seconds: float, megabytes: int) -> None:
        self._change(phase="ready", ready_seconds=seconds, ready_megabytes=megabytes)

    def line(self, name: str, **changes: Any) -> None:
        """Change what is told about one engine or role, whose line must be there."""
        with self._lock:
            lines = tuple(self._changed(line, changes) if line.name == name else line for line in self.snapshot.lines)
            if lines != self.snapshot.lines:
                self._change(lines=lines)

    def stopped(self, *, also: Collection[str] = ()) -> None:
        """All that ran was stopped. What was down stays so, with its cause, unless its state is in `also`."""
        ended = {READY, UNREADY, STARTING, *also}
        with self._lock:
            for line in self.snapshot.lines:
                if line.state in ended:
                    self.line(line.name, state=STOPPED, note="", pid=None, megabytes=None)

    def restarted(self, name: str) -> None:
        with self._lock:
            (line,) = (line for line in self.snapshot.lines if line.name == name)
            self.line(name, restarts=line.restarts + 1)

    def state(self, name: str, state: str) -> None:
        """Progress: an engine, or "download"."""
        if name == "download":
            self._change(phase="engines" if state == "done" else "downloading")
            return
        word, _, rest = state.partition(" ")
        match word:
            case "ready" | "answers":
                self.line(name, state=READY, note="")
            case "failed:":
                self.line(name, state=DOWN, note=rest)
            case _:
                self.line(name, state=STARTING, note="" if state == STARTING else state)

    def expect(self, files: int, size: int) -> None:
        """Progress: a download of so many files begins."""
        self._change(download=(0, size, f"{files} files"))

    def arrived(self, file: str, size: int) -> None:
        """Progress: bytes came."""
        with self._lock:
            came, total, _ = self.snapshot.download or (0, 0, "")
            self._change(download=(came + size, total, file))

    def note(self, text: str) -> None:
        """Progress: something that a person should know."""
        with self._lock:
            self._change(notes=(*self.snapshot.notes, text))

    @staticmethod
    def _changed(line: Line, changes: Mapping[str, Any]) -> Line:
        changed = replace(line, **changes)
        return replace(changed, since=time.time()) if changed.state != line.state else changed

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self.snapshot = replace(self.snapshot, **changes)
            for listener in self.listeners:
                listener(self.snapshot)


def new(names: Mapping[str, Kind]) -> Board:
    """Return a board with a line for each name, in order."""
    lines = tuple(Line(name=name, kind=kind) for name, kind in names.items())
    return Board(Snapshot(phase="engines", began=time.time(), lines=lines))
