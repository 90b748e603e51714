"""Keeps one engine or role running: starts it, asks whether it is ready, starts it again when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from infra.cli.stack.back_off import BackOff
from infra.cli.stack.board import DOWN, READY, STARTING, STOPPED, UNREADY, Board
from infra.runtime.errors import CasestreamError

SEEN_STARTING_SECONDS: Final = 0.2
MISSES: Final = 2
"""Probes in a row that must fail before what was ready is called not ready: one may be late on a busy machine."""


class Kept(Protocol):
    """What can be kept. look_seconds: between looks whether it runs; probe_seconds: between questions whether it is ready."""

    name: str
    look_seconds: float
    probe_seconds: float

    @property
    def pid(self) -> int | None: ...
    def start(self) -> None:
        """Start it; it may return before it is ready. Raises CasestreamError where it cannot."""
        ...

    def ended(self) -> str | None:
        """Return None while it runs, else how it ended, with its last words."""
        ...

    def readiness(self) -> str | None:
        """Return None when it is ready, else why it is not."""
        ...

    def hopeless(self) -> bool:
        """Whether another start would end as the last one did."""
        ...


class Keeper:
    """One thread for one thing. running: it was started already, and is ready.

    ever_ready: since this keeper began. failed_starts: ends before it was ever ready. last_words: how it ended last.
    """

    def __init__(
        self,
        kept: Kept,
        board: Board,
        *,
        running: bool = False,
        on_start: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = kept.name
        self.ever_ready = running
        self.failed_starts = 0
        self.last_words = ""
        self._kept = kept
        self._board = board
        self._running = running
        self._on_start = on_start
        self._clock = clock
        self._back_off = BackOff()
        self._ready = running
        self._was_ready = running
        self._misses = 0
        self._began = clock()
        self._next_probe = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"keep-{kept.name}", daemon=True)

    def start(self) -> None:
        """Begin to keep it."""
        self._thread.start()

    def let_go(self, seconds: float | None = None) -> bool:
        """Keep it no more; it runs on. Returns whether the keeper has ended within `seconds`, which a start may delay."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def hopeless(self) -> bool:
        """Whether it ended in a way that another start will not change."""
        return not self.ever_ready and self.failed_starts > 0 and self._kept.hopeless()

    def stopped(self) -> None:
        """Tell the board that it was stopped."""
        self._board.line(self.name, state=STOPPED, note="", pid=None, megabytes=None)

    def _run(self) -> None:
        if not self._running:
            self._start()
        while not self._stop.wait(self._kept.look_seconds if self._ready else SEEN_STARTING_SECONDS):
            self._look()

    def _start(self) -> None:
        self._ready, self._was_ready, self._misses = False, False, 0
        self._began, self._next_probe = self._clock(), 0.0
        self._board.line(self.name, state=STARTING, note="", pid=None)
        try:
            self._kept.start()
        except CasestreamError as error:
            self._again(str(error))
            return
        self._board.line(self.name, pid=self._kept.pid)
        self._on_start()

    def _look(self) -> None:
        how = self._kept.ended()
        if how is not None:
            self._again(how)
            return
        if self._ready and self._clock() < self._next_probe:
            return
        self._next_probe = self._clock() + self._kept.probe_seconds
        cause = self._kept.readiness()
        if cause is None:
            self._ready, self._was_ready, self.ever_ready, self._misses = True, True, True, 0
            self._board.line(self.name, state=READY, note="", pid=self._kept.pid)
            return
        self._misses += 1
        if self._ready and self._misses < MISSES:
            return
        self._ready = False
        self._board.line(self.name, state=UNREADY if self._was_ready else STARTING, note=cause)

    def _again(self, how: str) -> None:
        if self._stop.is_set():
            return
        if not self.ever_ready:
            self.failed_starts += 1
        self.last_words = how
        self._ready = False
        pause = self._back_off.after(self._clock() - self._began)
        note = f"{first_sentence(how).removeprefix(f'{self.name} ')}; starting it again in {pause:g} s"
        self._board.line(self.name, state=DOWN, note=note, pid=None, megabytes=None)
        if not self._stop.wait(pause):
            self._board.restarted(self.name)
            self._start()


def first_sentence(how: str) -> str:
    """Return how something ended without its last words."""
    line = how.strip().partition("\n")[0]
    return line.partition(" Its last words")[0].partition(" It said nothing")[0].rstrip(". ") or "it ended"
