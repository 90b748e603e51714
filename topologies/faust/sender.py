"""Appends derived records and knows when the broker has them all. One confluent producer, driven by the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaException, Producer

from schemas.topics import MAX_RECORD_BYTES
from topologies.step import Outgoing

# While acks are awaited the producer is polled this often at first, and ever less often when nothing comes back. uvloop's
# timers count whole milliseconds: less than one would spin.
_POLL_MIN_S, _POLL_MAX_S = 0.001, 0.02
_ANY_PARTITION = -1


class SendError(Exception):
    """A record was refused or could not be delivered in time. Nothing that depends on it may be committed."""


class Sender:
    """Sends in the order given, for each partition; a record whose partition is None goes by murmur2 of its key.

    Must be used from one event loop. Idle, it does nothing at all.
    """

    def __init__(self, bootstrap: str, *, linger_ms: float = 0.5, timeout_s: float = 30.0) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                # The default differs from Java's and aiokafka's: the same key would go to another partition.
                "partitioner": "murmur2_random",
                "linger.ms": linger_ms,
                "batch.size": 262_144,
                "compression.type": "lz4",
                # A dead letter is as large as what a topic took at most, and says more beside.
                "message.max.bytes": 2 * MAX_RECORD_BYTES,
                "delivery.timeout.ms": int(timeout_s * 1000),
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._awaited = 0
        self._driver: asyncio.Task[None] | None = None

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Append all records; returns once the broker has acked each. Raises `SendError` on the first that failed."""
        if not records:
            return
        loop = asyncio.get_running_loop()
        delivered = loop.create_future()
        left = len(records)
        failure: str | None = None

        def on_delivery(error: Any, message: Any) -> None:
            nonlocal left, failure
            left -= 1
            if error is not None and failure is None:
                failure = f"{message.topic()}: {error}"
            if not left and not delivered.done():
                delivered.set_result(None)

        produce = self._producer.produce
        self._awaited += 1
        try:
            for topic, partition, key, value, headers in records:
                at = _ANY_PARTITION if partition is None else partition
                while True:
                    try:
                        if headers:
                            produce(topic, value, key, at, on_delivery, headers=list(headers))
                        else:
                            produce(topic, value, key, at, on_delivery)
                        break
                    except BufferError:
                        self._producer.poll(0)
                        await asyncio.sleep(_POLL_MAX_S)
                    except KafkaException as refused:
                        raise SendError(f"{topic}: {refused}") from refused
            if self._driver is None or self._driver.done():
                self._driver = loop.create_task(self._drive())
            await delivered
        finally:
            self._awaited -= 1
        if failure is not None:
            raise SendError(failure)

    async def _drive(self) -> None:
        """Serve delivery reports while any are awaited."""
        pause = _POLL_MIN_S
        while self._awaited:
            pause = _POLL_MIN_S if self._producer.poll(0) else min(pause * 1.3, _POLL_MAX_S)
            await asyncio.sleep(pause)
