"""Ends a worker that looks alive and is not: one that hangs in recovery, hears no broker, or waits for ever for acks."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from topologies.faust import ending, metrics
from topologies.faust.stage import Stage
from topologies.faust.status import Status

_EVERY_S = 1.0


class Watch:
    """Measures lag and lateness once a second, and applies the deadlines."""

    def __init__(
        self, name: str, stage: Stage, app: Any, topic: str, status: Status, *, deadline_s: float = 60.0
    ) -> None:
        """`deadline_s`: how long there may be no progress while there is something to do (H9, H18)."""
        self._name = name
        self._stage = stage
        self._app = app
        self._topic = topic
        self._status = status
        self._deadline = deadline_s
        self._recovery_deadline = 2 * deadline_s

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            due = time.monotonic() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            metrics.LOOP_LAG_SECONDS.labels(self._name).set(max(0.0, time.monotonic() - due))
            self.look()

    def look(self) -> None:
        """One look. Ends the process when a deadline has passed."""
        consumer, status = self._app.consumer, self._status
        now = time.monotonic()
        if not status.ready:
            if now - status.changed_at > self._recovery_deadline:
                ending.end(f"not ready and no progress for {self._recovery_deadline:.0f} s: {status.cause}")
            return
        if consumer.in_flight and now - self._stage.progressed_at > self._deadline:
            ending.end(f"batches are in flight and none was done for {self._deadline:.0f} s")
        silence = consumer.silence()
        if status.partitions and silence is not None and silence > self._deadline:
            ending.end(f"no broker answered a fetch for {silence:.0f} s")
        for partition, lag in consumer.lags().items():
            metrics.LAG.labels(self._name, str(partition)).set(lag)
