"""Appends records of an operator to partitions that he names, and returns once the broker has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.log import Place
from infra.runtime.kafka import PRODUCER

SECONDS: Final = 15.0
_LIMIT: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record to append. timestamp: milliseconds since 1970, 0: now."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int = 0


class Appender:
    """One idempotent producer. hint: what to do where the broker does not take something."""

    def __init__(self, bootstrap: str, *, hint: str) -> None:
        self._hint = hint
        told = {"message.max.bytes": _LIMIT, "bootstrap.servers": bootstrap, "log_level": 0}
        self._producer = Producer({**PRODUCER, **told})

    def append(self, records: Sequence[Record]) -> None:
        """Append in order within each partition. Raises Problem where the broker has not taken all of them."""
        failed: list[str] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error.str())

        for record in records:
            self._producer.produce(
                record.place.topic,
                record.value,
                record.key,
                partition=record.place.partition,
                headers=list(record.headers),
                timestamp=record.timestamp,
                on_delivery=delivered,
            )
        left = self._producer.flush(SECONDS)
        if left or failed:
            raise Problem(
                f"Kafka did not take {left + len(failed)} of {len(records)} records: {(failed or ['no answer'])[0]}",
                hint=self._hint,
                exit_code=Exit.UNAVAILABLE,
            )
