"""Where records go that a sink cannot apply."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.runtime.errors import Transient
from infra.runtime.kafka import PRODUCER
from schemas.letter import letter
from schemas.topics import dead_letters
from sinks.base import Raw

FLUSH_SECONDS = 15.0


class DeadLetters:
    """Appends to `<group>.dlq`. The producer is made when first needed, which in good times is never."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self.topic = dead_letters(group)
        self._bootstrap = bootstrap
        self._producer: Producer | None = None

    def send(self, letters: Sequence[tuple[Raw, str]]) -> None:
        """Append records with the cause of each, and return when the broker has them all.

        Raises Transient where it has not; some may then come twice.
        """
        if self._producer is None:
            limits = {"message.max.bytes": 2_000_000, "delivery.timeout.ms": int(FLUSH_SECONDS * 1000)}
            self._producer = Producer({**PRODUCER, **limits, "bootstrap.servers": self._bootstrap})
        failed: list[str] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error.str())

        try:
            for raw, cause in letters:
                key, value, headers = letter(raw.topic, raw.partition, raw.offset, raw.key, raw.value, cause)
                self._producer.produce(self.topic, value, key, headers=list(headers), on_delivery=delivered)
        except (BufferError, KafkaException) as error:
            raise Transient(f"{self.topic} does not take dead letters: {error}") from error
        left = self._producer.flush(FLUSH_SECONDS + 1)
        if left or failed:
            raise Transient(f"{self.topic} did not take {left + len(failed)} dead letters: {failed[:1]}")
