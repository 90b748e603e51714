"""Keeps the changelog right where nothing is folded: a quiet partition would else wait for its next command."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from faust.types import TP

from topologies.faust import ending
from topologies.faust.rows import Rows
from topologies.faust.stage import Stage
from topologies.faust.status import Status

log = logging.getLogger(__name__)

_EVERY_S = 1.0


class Upkeep:
    """Writes rows again whose last changelog record is an older one, and looks for records of another writer.

    A stopped worker that wakes may write to a partition that is not its own any more. The owner sees that by the gap in its
    own next write; where there is none for an hour, compaction would remove the owner's row and leave the older one.
    """

    def __init__(
        self, stage: Stage, rows: Rows, app: Any, status: Status, changelog: str, *, look_every_s: float = 60.0
    ) -> None:
        """`look_every_s`: how often the changelog's ends are asked for, far below `min.compaction.lag.ms`."""
        self._stage = stage
        self._rows = rows
        self._app = app
        self._status = status
        self._changelog = changelog
        self._look_every = look_every_s

    async def run(self) -> None:
        """Tidy until cancelled."""
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_EVERY_S)
            if not self._status.ready:
                continue
            self._stage.mend(self._status.partitions)
            if time.monotonic() - looked >= self._look_every:
                looked = time.monotonic()
                await self.look()

    async def look(self) -> None:
        """Ask where the changelog ends. Ends the process where there is more than this worker wrote: recovery reads it."""
        before = self._quiet()
        if not before:
            return
        try:
            ends = await self._app.consumer.highwaters(*(TP(self._changelog, p) for p in before))
        except Exception as away:  # noqa: BLE001 - the broker is away: the deadlines of the watch are for that
            log.warning("the changelog's ends are not known: %r", away)
            return
        after = self._quiet()
        for partition, applied in before.items():
            end = ends.get(TP(self._changelog, partition))
            # Where a write of our own may have come in between, the next look will tell.
            if end is not None and after.get(partition) == applied and end > applied + 1:
                ending.end(f"{self._changelog}/{partition} ends at {end}, after {applied}: another worker wrote to it")

    def _quiet(self) -> Mapping[int, int]:
        """By partition that is ours and idle: the last changelog offset that its rows reflect."""
        if not self._status.ready:
            return {}
        applied = self._rows.applied
        return {p: applied[p] for p in self._status.partitions if p in applied and self._stage.idle(p)}
