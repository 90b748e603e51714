"""What every reader of a topic outside the stages shares: its settings, and which errors of Kafka mean what."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import KafkaError

from infra.runtime.errors import CasestreamError

POLL_SECONDS: Final = 0.2
BACK_OFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

CONSUMER: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    # A position outside the log is an error, said aloud: never a silent jump to either end.
    "auto.offset.reset": "error",
    "partition.assignment.strategy": "range",
    # The shortest that brokers allow by default: after a kill the next process takes over in this time.
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_500,
    # For a store that hangs. While one is away, a loop goes on polling, or holds its batch: who holds it longer leaves
    # the group, comes back, and reads the same again.
    "max.poll.interval.ms": 600_000,
    "queued.max.messages.kbytes": 16_384,
    "fetch.message.max.bytes": 2_000_000,
    "fetch.queue.backoff.ms": 20,
    "reconnect.backoff.max.ms": 2_000,
    "socket.timeout.ms": 10_000,
    # Its lines on stderr are not ours to form. What fails comes back as errors, which are logged.
    "log_level": 0,
}

PASSING: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - its public name
        KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001 - its public name
        KafkaError._TRANSPORT,  # noqa: SLF001 - its public name
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - its public name
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""Errors that the client gets over by itself, besides those that it calls retriable."""

LOST: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001
"""The position that was asked for is not in the log."""


class PositionLost(CasestreamError):  # noqa: N818 - it is read aloud
    """The stored position is not in the log. It takes a person: the topic was cut, or made anew without a new generation."""
