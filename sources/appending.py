"""Appends a batch of records to several topics in order, and returns once the broker has them all. For one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.runtime.errors import BrokerUnavailable
from infra.runtime.kafka import PRODUCER

POLL_SECONDS: Final = 0.1


class Outgoing(NamedTuple):
    """A record to append. Its partition follows from its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Stopped(Exception):  # noqa: N818
    """The process was told to stop before the broker had everything. What it has will be appended again, the same."""


class Appender:
    """One idempotent producer that never gives a record up by itself.

    A record that timed out while later ones went through would be a gap: the stage, which has seen a later record of
    the same partition, would then drop the earlier one as a repetition. So records wait for as long as the broker is
    away, and an error is of all that follow as well.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Producer | None = None

    def append(self, records: Sequence[Outgoing], stop: threading.Event) -> None:
        """Append in order. Raises BrokerUnavailable where some were refused: the same batch may be appended again."""
        producer = self._open()
        failed: list[str] = []
        left = len(records)

        def delivered(error: KafkaError | None, _message: Message) -> None:
            nonlocal left
            left -= 1
            if error is not None:
                failed.append(error.str())

        try:
            for record in records:
                while not self._offer(producer, record, delivered):
                    if stop.is_set():
                        raise Stopped
            while left and not failed:
                producer.poll(POLL_SECONDS)
                if left and stop.is_set():
                    raise Stopped
        except KafkaException as error:
            failed.append(str(error))
        except Stopped:
            self._drop()
            raise
        if failed:
            self._drop()
            raise BrokerUnavailable(f"the broker did not take a batch: {failed[0]}")

    def close(self) -> None:
        self._drop()

    @staticmethod
    def _offer(producer: Producer, record: Outgoing, delivered: Callable[[KafkaError | None, Message], None]) -> bool:
        try:
            producer.produce(
                record.topic, record.value, record.key, headers=list(record.headers), on_delivery=delivered
            )
        except BufferError:
            producer.poll(POLL_SECONDS)
            return False
        producer.poll(0)
        return True

    def _open(self) -> Producer:
        if self._producer is None:
            # Dead letters are as large as the records that they were.
            limits = {"message.max.bytes": 2_000_000, "message.timeout.ms": 0, "linger.ms": 5}
            self._producer = Producer({**PRODUCER, **limits, "bootstrap.servers": self._bootstrap})
        return self._producer

    def _drop(self) -> None:
        """Forget the producer and what it still holds."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1.0)
            self._producer = None
