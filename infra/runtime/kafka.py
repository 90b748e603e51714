"""Appending commands to the log, and the topics themselves. Reading is the business of stages and sinks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.runtime.errors import BrokerUnavailable
from schemas.topics import MAX_RECORD_BYTES

PRODUCER: Final = {
    # The same partition as every other client of this platform: librdkafka's default is another.
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 2,
    "message.max.bytes": MAX_RECORD_BYTES + 48_576,
    "socket.timeout.ms": 10_000,
    # Its lines on stderr are not ours to form. What fails comes back as errors, which are logged.
    "log_level": 0,
}

COPIES: Final = 3
BROKERS_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands: written "topic/partition:offset"."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the position that `text` names; ValueError where it names none."""
        topic, _, rest = text.rpartition("/")
        partition, _, offset = rest.partition(":")
        if not topic or not partition.isdecimal() or not offset.isdecimal():
            raise ValueError(f"{text!r} is not a position: topic/partition:offset")
        return cls(topic, int(partition), int(offset))


class CommandLog(Protocol):
    """Where commands go. A command that was appended will be answered; one that raised was not taken."""

    async def append(self, topic: str, key: str, value: bytes) -> Position:
        """Append a record and return its position once the broker has acked it.

        Raises BrokerUnavailable where it could not: the record is not in the log and will not come there.
        """
        ...


class KafkaCommandLog:
    """Appends by one idempotent producer, whose callbacks come from a thread of its own.

    timeout: seconds within which the broker must ack. Kept under the caller's patience, so that a record that was
    refused to the caller does not turn up later.
    """

    def __init__(self, bootstrap: str, *, timeout: float = 4.0) -> None:
        self._producer = Producer(
            {**PRODUCER, "bootstrap.servers": bootstrap, "delivery.timeout.ms": int(timeout * 1000)}
        )
        self._poller: asyncio.Task[None] | None = None
        self._pending = 0
        self._wanted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._poller = asyncio.create_task(self._poll(), name="command-log")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._producer.flush, 5.0)
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def append(self, topic: str, key: str, value: bytes) -> Position:
        if len(value) > MAX_RECORD_BYTES:
            raise ValueError(f"a record of {len(value)} bytes; the limit is {MAX_RECORD_BYTES}")
        loop = asyncio.get_running_loop()
        acked: asyncio.Future[Position] = loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            self._pending -= 1
            if acked.done():
                return
            if error is not None:
                acked.set_exception(BrokerUnavailable(f"the broker did not take the command: {error.str()}"))
                return
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            acked.set_result(Position(topic, partition, offset))

        try:
            self._producer.produce(topic, value, key, on_delivery=delivered)
        except (BufferError, KafkaException) as error:
            raise BrokerUnavailable(f"the broker does not take commands: {error}") from error
        self._pending += 1
        self._wanted.set()
        return await acked

    async def _poll(self) -> None:
        """Serve delivery reports while any are due, on the loop's own thread; rest while none are."""
        while True:
            if self._pending == 0:
                self._wanted.clear()
                await self._wanted.wait()
            self._producer.poll(0)
            await asyncio.sleep(0.001)


def create_topics(
    bootstrap: str, topics: Mapping[str, Mapping[str, str]], *, partitions: int, replication: int | None = None
) -> list[str]:
    """Create the topics that are not there, with their settings. Returns the names of the new ones.

    replication: how many brokers hold each record, which are waited for; None: three, or as many as there are. Of three,
    two must have a record before it is acked: one broker may be lost, and nothing that was acked is.
    Raises ValueError where one is there with another number of partitions: that number is fixed for life.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    there = admin.list_topics(timeout=30).topics
    for name in topics:
        if name in there and len(there[name].partitions) != partitions:
            raise ValueError(
                f"topic {name} has {len(there[name].partitions)} partitions, not {partitions}; "
                "that number cannot be changed: set CASESTREAM_PARTITIONS to it"
            )
    if not there.keys() >= topics.keys():
        replication = _brokers(admin, replication)
    least = {"min.insync.replicas": str(replication - 1)} if replication is not None and replication > 2 else {}
    new = [
        NewTopic(name, num_partitions=partitions, replication_factor=replication or 1, config={**config, **least})
        for name, config in topics.items()
        if name not in there
    ]
    if not new:
        return []
    for name, created in admin.create_topics(new, operation_timeout=30).items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ValueError(f"topic {name} could not be created: {error.args[0].str()}") from error
    return [topic.topic for topic in new]


def _brokers(admin: AdminClient, wanted: int | None) -> int:
    """Return how many copies there can be. Brokers that start beside this process are waited for where a number is wanted."""
    deadline = time.monotonic() + BROKERS_SECONDS
    while True:
        there = len(admin.list_topics(timeout=30).brokers)
        if wanted is None:
            return min(COPIES, there)
        if there >= wanted:
            return wanted
        if time.monotonic() > deadline:
            raise ValueError(f"{there} of the {wanted} brokers that are to hold each record answer")
        time.sleep(0.1)
