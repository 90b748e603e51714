"""The search index in memory: external versions, positions kept apart from it, every write a step of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.runtime.errors import Backpressure
from sinks.base import Entry, Fenced
from sinks.elasticsearch.document import document
from sinks.elasticsearch.writer import CaseAt, _bounds, _newest
from tests.simulation.faults import Faults
from tests.simulation.process import Process


class MemoryIndex:
    """What outlives the sink's process: documents with their versions, and the positions."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[int, dict[str, Any]]] = {}
        self.positions: dict[int, int] = {}

    def put(self, name: str, version: int, source: dict[str, Any]) -> None:
        """Write a document unless the index has this version or a newer one."""
        held = self.documents.get(name)
        if held is None or version > held[0]:
            self.documents[name] = (version, source)


class IndexWriter:
    """One process' hold on the index, in the order of `sinks.elasticsearch.writer`: expect, write, advance."""

    def __init__(self, index: MemoryIndex, process: Process, faults: Faults) -> None:
        self._index = index
        self._process = process
        self._faults = faults
        self._held: dict[int, int] = {}

    def assigned(self, partitions: Sequence[int]) -> dict[int, int]:
        self._held = {p: self._index.positions.get(p, 0) for p in partitions}
        return dict(self._held)

    async def apply(self, batch: Sequence[Entry[CaseAt | None]]) -> None:
        begins, nexts = _bounds(batch)
        for partition, begin in begins.items():
            held = self._held.get(partition)
            if held is None or held != self._index.positions.get(partition, 0) or (held and held != begin):
                raise Fenced(f"partition {partition}: the batch begins at {begin}")
        writes = list(_newest(batch).items())
        for n in self._faults.shuffle(list(range(len(writes)))):
            name, entry = writes[n]
            self._process.stall()
            await self._process.sleep(self._faults.trip())
            if self._faults.away():
                raise Backpressure("429")
            if entry.item is not None:
                tenant_id, case = entry.item
                self._index.put(name, case.version, document(tenant_id, case))
        await self._process.sleep(self._faults.trip())
        if any(self._held[p] != self._index.positions.get(p, 0) for p in nexts):
            raise Fenced(f"not at {self._held} any more")
        self._index.positions |= nexts
        self._held |= nexts
