"""The Postgres views in memory, as one process holds them: a batch is one transaction, which may not answer."""

from __future__ import annotations

from collections.abc import Sequence

from infra.runtime.errors import StoreUnavailable
from sinks.base import Entry
from sinks.postgres.project import Placed
from tests.fakes.views import MemoryTables, MemoryViews
from tests.simulation.faults import Faults
from tests.simulation.process import Process


class ViewsWriter:
    def __init__(self, tables: MemoryTables, process: Process, faults: Faults) -> None:
        self._views = MemoryViews(tables)
        self._process = process
        self._faults = faults

    def assigned(self, partitions: Sequence[int]) -> dict[int, int]:
        return {p: max(offset, 0) for p, offset in self._views.assigned(partitions).items()}

    async def apply(self, batch: Sequence[Entry[Placed]]) -> None:
        self._process.stall()
        await self._process.sleep(self._faults.trip())
        if self._faults.away():
            raise StoreUnavailable("away before the transaction")
        self._views.apply(batch)
        await self._process.sleep(self._faults.trip())
        if self._faults.away():
            # Committed, and the answer was lost: the same batch again is fenced.
            self._views.assigned([])
            raise StoreUnavailable("away after the commit")
