"""The clock as a source: appends a tick once a second to every partition of the topics whose stages are told the time.

Any number of clocks may run: a tick is the same from each, and a stage passes over one that is not above its last. What could not
be appended within its second is given up. A clock that was away says the present second, never those that it missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.runtime.kafka import PRODUCER
from infra.runtime.logging import logger
from schemas import codec
from sources import metrics
from streams.clock import CLOCK, SECOND, tick

SILENT_SECONDS: Final = 3.0
"""After how long without a tick that every partition has, a clock is not ready."""

_PATIENCE: Final = 0.9
_POLL: Final = 0.02
_CONFIG: Final = {
    **PRODUCER,
    # A tick that waited for a broker is of no use any more: another one is on its way. Twice does no harm.
    "enable.idempotence": False,
    "message.timeout.ms": round(_PATIENCE * 1_000),
    "linger.ms": 0,
    "compression.type": "none",
}


class Clock:
    """Run on one thread; `ping` is for any. now: the time in seconds since 1970."""

    def __init__(
        self, bootstrap: str, topics: Sequence[str], *, partitions: int, now: Callable[[], float] = time.time
    ) -> None:
        self._bootstrap = bootstrap
        self._places = [(topic, partition) for topic in topics for partition in range(partitions)]
        self._now = now
        self._log = logger("source.clock", topics=list(topics))
        self._trouble: str | None = "no tick yet"
        self._said = 0
        self._told_at: float | None = None

    def ping(self) -> str | None:
        """Return why stages do not hear the time, None where they do."""
        if self._told_at is None:
            return self._trouble
        silence = time.monotonic() - self._told_at
        return None if silence < SILENT_SECONDS else f"no tick for {silence:.0f} s: {self._trouble or 'it hangs'}"

    def run(self, stop: threading.Event) -> None:
        """Tick at every whole second until `stop` is set."""
        producer = Producer({**_CONFIG, "bootstrap.servers": self._bootstrap})
        try:
            while not stop.wait(self._until_next()):
                at = int(self._now()) * SECOND
                if at > self._said:
                    self._tick(producer, at, stop)
                elif at < self._said - SECOND:
                    self._trouble = f"this machine's time went back by {(self._said - at) / SECOND:.0f} s"
        finally:
            producer.purge()
            producer.flush(1.0)

    def _until_next(self) -> float:
        """Return the seconds until the next whole one, and a trifle, or this one would come again."""
        return 1.001 - self._now() % 1.0

    def _tick(self, producer: Producer, at: int, stop: threading.Event) -> None:
        """Append the tick of this second and wait for its acks, as long as the second lasts."""
        envelope, body = tick(at)
        value, key = codec.encode(envelope, body), CLOCK.encode()
        left = len(self._places)
        failed: list[str] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            nonlocal left
            left -= 1
            if error is not None:
                failed.append(error.str())

        self._said = at
        try:
            for topic, partition in self._places:
                producer.produce(topic, value, key, partition, on_delivery=delivered)
        except (KafkaException, BufferError) as error:
            failed.append(str(error))
        until = at / SECOND + _PATIENCE
        while left and not failed and not stop.is_set() and self._now() < until:
            producer.poll(_POLL)
        if left or failed:
            metrics.TICKS.labels("missed").inc()
            trouble = f"waiting: {failed[0] if failed else 'the broker does not answer'}"
            if trouble != self._trouble:
                self._log.warning("a tick was not taken by every partition", cause=trouble)
            self._trouble = trouble
            return
        metrics.TICKS.labels("told").inc()
        metrics.TICK_LATENESS_SECONDS.observe(max(self._now() - at / SECOND, 0.0))
        if self._trouble is not None:
            self._log.info("stages hear the time")
        self._trouble, self._told_at = None, time.monotonic()
