"""Where people and tools come in: a driver whose log is the broker's, and whose appends take their time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from schemas import codec
from schemas.codec import Decoded
from tests.simulation.broker import Broker
from tests.simulation.clock import SECOND, Clock
from tests.simulation.faults import Faults
from topologies.step import Outgoing
from topologies.testing import TopologyTestDriver


class Edge(TopologyTestDriver):
    """`tests.world.World` speaks through it. settle: runs the platform until it is quiet, where that is waited for.

    Records of one partition may overtake each other, and come again a moment later. waiting: how many are still on their way.
    repeated: the ids of what was said more than once.
    """

    def __init__(self, broker: Broker, clock: Clock, faults: Faults, settle: Callable[[], None]) -> None:
        super().__init__(partitions=broker.partitions)
        self.logs = broker.logs
        self.storming = False
        self.waiting = 0
        self.repeated: set[str] = set()
        self._broker = broker
        self._clock = clock
        self._faults = faults
        self._settle = settle
        self._lately: deque[Outgoing] = deque(maxlen=8)
        self._decoded: dict[bytes, Decoded] = {}

    def append(self, record: Outgoing) -> None:
        self._lately.append(record)
        self._send(record, self._faults.trip())

    def repeat(self, n: int) -> None:
        """Send one of the last records again, as a producer does that was not answered."""
        if self._lately:
            record = self._lately[n % len(self._lately)]
            self.repeated.add(codec.decode(record.value).envelope.id)
            self._send(record, self._faults.trip())
            if n % 2:
                self._send(record, self._faults.some(3 * SECOND))

    def _send(self, record: Outgoing, delay: int) -> None:
        self.waiting += 1
        self._clock.after(delay, lambda: self._arrived(record))

    def _arrived(self, record: Outgoing) -> None:
        self.waiting -= 1
        self._broker.append(self._broker.place(record), (record,))

    def run(self) -> None:
        if not self.storming:
            self._settle()

    def decoded(self, topic: str) -> list[Decoded]:
        known, found = self._decoded, []
        for record in self.records(topic):
            value = record.value or b""
            if value not in known:
                known[value] = codec.decode(value)
            found.append(known[value])
        return found
