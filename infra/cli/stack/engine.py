"""One engine, as a thing that is kept running."""

from __future__ import annotations

from typing import Final

from infra.engines import Engines

_LOOK_SECONDS: Final = {"embedded": 0.5, "docker": 3.0, "external": 5.0}
PROBE_SECONDS: Final = 5.0


class Engine:
    """name: kafka, postgres, elasticsearch or redis. Of kind external it is only asked: it is not ours to start."""

    def __init__(self, engines: Engines, name: str) -> None:
        self.name = name
        self.look_seconds = _LOOK_SECONDS[engines.kind]
        self.probe_seconds = PROBE_SECONDS
        self._engines = engines

    @property
    def pid(self) -> int | None:
        return self._engines.processes.get(self.name)

    def start(self) -> None:
        self._engines.restart(self.name)

    def ended(self) -> str | None:
        error = self._engines.dead().get(self.name)
        return None if error is None else str(error)

    def readiness(self) -> str | None:
        return None if self._engines.answers(self.name) else "does not answer"

    def hopeless(self) -> bool:
        return False
