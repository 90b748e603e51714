"""One process of the clock: what `sources.clock` does, over the broker in memory."""

from __future__ import annotations

from collections.abc import Sequence

from schemas import codec
from streams.clock import CLOCK, tick
from tests.simulation.broker import Broker, Wire
from tests.simulation.clock import SECOND
from tests.simulation.faults import Faults
from tests.simulation.process import Process
from tests.world import BEGIN
from topologies.step import Outgoing


class Ticker:
    """Says each whole second that it lives to see, once to every partition; what is under way waits for nothing."""

    def __init__(self, process: Process, broker: Broker, faults: Faults, topics: Sequence[str]) -> None:
        self.process = process
        self._places = [(topic, partition) for topic in topics for partition in range(broker.partitions)]
        self._wire = Wire(process, broker, faults)
        process.spawn(self._run())

    async def _run(self) -> None:
        said = 0
        while True:
            await self.process.sleep(SECOND - (BEGIN + self.process.clock.now) % SECOND)
            # Stopped meanwhile, it says what time it is now.
            at = (BEGIN + self.process.clock.now) // SECOND * 1_000
            if at == said:
                continue
            said = at
            envelope, body = tick(at)
            value, key = codec.encode(envelope, body), CLOCK.encode()
            for topic, partition in self._places:
                self._wire.put((topic, partition), (Outgoing(topic, partition, key, value),))
