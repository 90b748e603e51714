"""A process that can be killed or stopped between any two of its steps, and the coroutines that run in it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Protocol

from tests.simulation.clock import Clock


class Signal:
    """Something to await that happens once, with a value. Knows no event loop."""

    __slots__ = ("_then", "done", "value")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self._then: list[Callable[[], None]] = []

    def set(self, value: Any = None) -> None:
        self.done, self.value = True, value
        then, self._then = self._then, []
        for action in then:
            action()

    def then(self, action: Callable[[], None]) -> None:
        self._then.append(action)

    def __await__(self) -> Generator[Signal, None, Any]:
        if not self.done:
            yield self
        return self.value


class Strikes(Protocol):
    """What may hit a process: None, or for how long it is stopped.

    strike: at any one of its steps; 0 kills it. stall: with a write made and not yet sent.
    """

    def strike(self, name: str, /) -> int | None: ...

    def stall(self, name: str, /) -> int | None: ...

    def jitter(self) -> int: ...


class Process:
    """Everything that it does goes through `after`: dead it does nothing, stopped it does it when it goes on.

    on_death: told the exception that ended it, None where it was killed.
    """

    def __init__(
        self, name: str, clock: Clock, faults: Strikes, on_death: Callable[[Process, Exception | None], None]
    ) -> None:
        self.name = name
        self.clock = clock
        self.alive = True
        self.on_kill: list[Callable[[], None]] = []
        self._faults = faults
        self._on_death = on_death
        self._stopped_until = 0
        self._held: list[Callable[[], None]] = []
        self._running: dict[int, Coroutine[Any, Any, None]] = {}

    @property
    def stopped(self) -> bool:
        return self.alive and self._stopped_until > self.clock.now

    def after(self, delay: int, action: Callable[[], None]) -> None:
        self.clock.after(delay, partial(self._due, action))

    def _due(self, action: Callable[[], None]) -> None:
        if not self.alive:
            return
        if not self.stopped:
            hit = self._faults.strike(self.name)
            if hit is None:
                action()
                return
            if hit == 0:
                self.kill()
                return
            self.stop(hit)
        self._held.append(action)

    def stop(self, span: int) -> None:
        """Stop for a span, as SIGSTOP does."""
        self._stopped_until = max(self._stopped_until, self.clock.now + span)
        self.clock.after(self._stopped_until - self.clock.now, self._go_on)

    def stall(self) -> None:
        """Stop, perhaps, with a write on its way out: it arrives when others have taken over."""
        span = self._faults.stall(self.name)
        if span is not None:
            self.stop(span)

    def _go_on(self) -> None:
        if self.stopped:
            return
        held, self._held = self._held, []
        for action in held:
            # Which of its threads comes first is chance.
            self.after(self._faults.jitter(), action)

    def kill(self, cause: Exception | None = None) -> None:
        if not self.alive:
            return
        self.alive = False
        for coroutine in self._running.values():
            coroutine.close()
        self._running.clear()
        self._held.clear()
        for action in self.on_kill:
            action()
        self._on_death(self, cause)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        if not self.alive:
            coroutine.close()
            return
        self._running[id(coroutine)] = coroutine
        self.after(0, partial(self._resume, coroutine))

    def _resume(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            awaited: Signal = coroutine.send(None)
        except StopIteration:
            self._running.pop(id(coroutine), None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process, and the run judges it
            self._running.pop(id(coroutine), None)
            self.kill(error)
        else:
            awaited.then(partial(self.after, 0, partial(self._resume, coroutine)))

    def sleep(self, span: int) -> Signal:
        signal = Signal()
        self.after(span, signal.set)
        return signal
