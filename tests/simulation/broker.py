"""Topics in memory, and the connection of a producer to them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial

from tests.simulation.faults import Faults
from tests.simulation.process import Process, Signal
from topologies.guard import newer
from topologies.partition import partition_of
from topologies.step import Outgoing, Record

Place = tuple[str, int]
Pair = tuple[bytes | None, bytes | None]


class Broker:
    """logs: by topic and partition. seen: each record's key and value. highest: of a changelog, the highest version of
    each key that was ever written; None where it was removed at any time, which has no version.
    """

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.logs: dict[Place, list[Outgoing]] = defaultdict(list)
        self.seen: dict[Place, set[Pair]] = defaultdict(set)
        self.highest: dict[Place, dict[bytes, bytes | None]] = defaultdict(dict)
        self.readers: dict[str, list[Callable[[int], None]]] = defaultdict(list)

    def append(self, place: Place, records: Sequence[Outgoing]) -> int:
        """Append records whole; return the offset of the first."""
        log = self.logs[place]
        first = len(log)
        log += records
        self.seen[place].update((record.key, record.value) for record in records)
        if place[0].endswith("-changelog"):
            self._versions(self.highest[place], records)
        for told in list(self.readers[place[0]]):
            told(place[1])
        return first

    def _versions(self, highest: dict[bytes, bytes | None], records: Sequence[Outgoing]) -> None:
        for record in records:
            key, row = record.key or b"", record.value
            held = highest.get(key, b"")
            if row is None or (held is not None and (not held or newer(held, row))):
                highest[key] = row

    def records(self, topic: str, partition: int, first: int, end: int) -> list[Record]:
        log = self.logs[topic, partition][first:end]
        return [Record(first + n, record.key, record.value) for n, record in enumerate(log)]

    def place(self, record: Outgoing) -> Place:
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key or b"", self.partitions)
        return record.topic, partition


class Wire:
    """A producer's connection. In order within a partition, in none between partitions.

    What a killed process had handed over may still arrive, as far as it had left; what a stopped one had not sent yet
    arrives when it goes on.
    """

    def __init__(self, process: Process, broker: Broker, faults: Faults) -> None:
        self._process = process
        self._broker = broker
        self._faults = faults
        self._queues: dict[Place, deque[tuple[Sequence[Outgoing], Signal]]] = {}
        process.on_kill.append(self._cut)

    @property
    def idle(self) -> bool:
        return not self._queues

    def put(self, place: Place, records: Sequence[Outgoing]) -> Signal:
        """Hand over records that are appended whole. The signal's value is the first one's offset."""
        acked = Signal()
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = deque()
            self._process.after(self._faults.trip(), lambda: self._arrive(place))
        queue.append((records, acked))
        return acked

    def _arrive(self, place: Place) -> None:
        queue = self._queues[place]
        acks: list[tuple[Signal, int]] = []
        for _ in range(1 + self._faults.some(len(queue) - 1)):
            records, acked = queue.popleft()
            acks.append((acked, self._broker.append(place, records)))
        self._process.after(self._faults.trip(), partial(_acknowledge, acks))
        if queue:
            self._process.after(self._faults.trip(), lambda: self._arrive(place))
        else:
            del self._queues[place]

    def _cut(self) -> None:
        for place, queue in self._queues.items():
            for _ in range(self._faults.some(len(queue))):
                self._broker.append(place, queue.popleft()[0])
        self._queues.clear()


def _acknowledge(acks: Sequence[tuple[Signal, int]]) -> None:
    for acked, offset in acks:
        acked.set(offset)
