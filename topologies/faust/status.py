"""Whether this worker is ready, and if not, why: read by a health server, written by the consumer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from topologies.faust import metrics


class Status:
    """`ready` is true once partitions are assigned, their rows recovered and their streams positioned.

    Written in the fold's loop, read from any thread. `on_ready` is called each time it turns ready.
    """

    def __init__(self, stage: str, on_ready: Callable[[], None]) -> None:
        self.stage = stage
        self.ready = False
        self.cause = "starting"
        self.partitions: tuple[int, ...] = ()
        self.changed_at = time.monotonic()
        """When the state last changed or recovery last advanced: a deadline on it ends a worker that hangs (H9)."""
        self._on_ready = on_ready
        self._remaining = -1

    def not_ready(self, cause: str) -> None:
        self._set(False, cause)
        metrics.READY.labels(self.stage).set(0)

    def recovering(self, remaining: int) -> None:
        """Note that `remaining` changelog records are still to be applied."""
        metrics.RECOVERY_REMAINING.labels(self.stage).set(remaining)
        if remaining != self._remaining and not self.ready:
            self._remaining = remaining
            self._set(False, f"recovering: {remaining} changes to go")

    def assigned(self, partitions: Sequence[int]) -> None:
        """Turn ready for these partitions; a spare worker has none and is ready too."""
        self.partitions = tuple(partitions)
        self._set(True, "" if partitions else "ready: no partition is assigned")
        metrics.READY.labels(self.stage).set(1)
        metrics.PARTITIONS.labels(self.stage).set(len(partitions))
        metrics.RECOVERY_REMAINING.labels(self.stage).set(0)
        self._on_ready()

    def _set(self, ready: bool, cause: str) -> None:  # noqa: FBT001
        self.ready = ready
        self.cause = cause
        self.changed_at = time.monotonic()
