"""One process of a sink: what `sinks.loop` does, over the broker in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from infra.runtime.errors import Backpressure, Transient
from sinks.base import Entry, Fenced, Raw
from sinks.positions import Positions
from tests.simulation.broker import Broker
from tests.simulation.faults import Faults
from tests.simulation.group import Group
from tests.simulation.membership import Membership
from tests.simulation.process import Process


class Writer(Protocol):
    def assigned(self, partitions: Sequence[int], /) -> dict[int, int]: ...

    async def apply(self, batch: Sequence[Entry[Any]], /) -> None: ...


class SinkWorker:
    """Assigned, it begins at the store's positions; Kafka's committed offset is a hint."""

    def __init__(
        self,
        process: Process,
        group: Group,
        writer: Writer,
        decode: Callable[[Raw], Any],
        *,
        broker: Broker,
        faults: Faults,
        batch: int,
    ) -> None:
        self.process = process
        self.membership = Membership(process, group, faults, self)
        self._topic = group.topic
        self._writer = writer
        self._decode = decode
        self._broker = broker
        self._faults = faults
        self._batch = batch
        self._positions = Positions()
        self._busy = False
        readers = broker.readers[group.topic]
        readers.append(self._told)
        process.on_kill.append(lambda: readers.remove(self._told))

    @property
    def idle(self) -> bool:
        return not self._busy

    @property
    def quiet(self) -> bool:
        return self.idle and not self.process.stopped

    def offsets(self) -> dict[int, int]:
        return self._positions.uncommitted()

    def revoked(self) -> None:
        self._positions.revoke()

    def assigned(self, partitions: list[int]) -> None:
        self._positions.assign(self._writer.assigned(partitions))
        self._pump()

    def _told(self, _partition: int) -> None:
        if not self._busy:
            self.process.after(self._faults.trip(), self._pump)

    def _pump(self) -> None:
        if self._busy or not self.membership.open:
            return
        entries: list[Entry[Any]] = []
        for partition in self._faults.shuffle(self._positions.partitions):
            at = self._positions.nexts()[partition]
            log = self._broker.logs[self._topic, partition]
            for n, record in enumerate(log[at : at + 1 + self._faults.some(self._batch)]):
                raw = Raw(self._topic, partition, at + n, record.key, record.value, 0)
                assert self._positions.expects(partition, raw.offset)
                entries.append(Entry(raw, self._decode(raw)))
                self._positions.took(partition, raw.offset)
        if entries:
            self._busy = True
            self.process.spawn(self._settle(entries))

    async def _settle(self, entries: list[Entry[Any]]) -> None:
        while True:
            try:
                await self._writer.apply(entries)
            except (Transient, Backpressure):
                await self.process.sleep(self._faults.trip())
            except Fenced:
                self._positions.assign(self._writer.assigned(self._positions.partitions))
                break
            else:
                self._positions.applied(entries)
                break
        self._busy = False
        self._pump()
