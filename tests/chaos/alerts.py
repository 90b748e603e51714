"""Senders of alerts, over HTTP and Kafka: also what real ones do wrong, which is repeats, delays and clocks that are off."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any, Final

import httpx
from confluent_kafka import KafkaError, Message, Producer

from schemas import codec
from schemas.signal import AlertSignal
from schemas.topics import MAX_RECORD_BYTES
from streams.topics import ALERT_SIGNALS
from tests.chaos.accepted import Accepted
from tests.chaos.patience import ask

YEAR_MS: Final = 365 * 24 * 3600 * 1000
HTTP_LIMIT: Final = 1024 * 1024
_ACTIONS: Final = ("trigger", "acknowledge", "resolve")


class HttpAlerts:
    """A monitoring tool that posts to the PagerDuty source."""

    def __init__(self, client: httpx.Client, tenant: dict[str, str], accepted: Accepted) -> None:
        self._client = client
        self._tenant = tenant
        self._accepted = accepted

    def send(self, action: str, key: str, chance: random.Random) -> None:
        body: dict[str, Any] = {
            "routing_key": self._tenant["routing_key"],
            "event_action": action,
            "dedup_key": f"http-{key}",
            "payload": {"summary": f"Latency is high: {key}", "source": "lb", "severity": "critical"},
        }
        if chance.random() < 0.1:
            # A clock that is years off, in either direction.
            body["payload"]["timestamp"] = chance.choice(("1999-12-31T23:59:59Z", "2061-07-28T00:00:00Z"))
        answer, _ = ask(self._client, "/v2/enqueue", body, self._accepted)
        assert answer.status_code == 202, answer.text
        self._accepted.signal(answer.headers["x-signal-id"], self._tenant["tenant_id"])

    def send_too_large(self) -> None:
        """Post more than a record may hold: refused at the edge, by name."""
        body = {
            "routing_key": self._tenant["routing_key"],
            "event_action": "trigger",
            "dedup_key": "http-large",
            "payload": {
                "summary": "large",
                "source": "x",
                "severity": "info",
                "custom_details": {"x": "y" * HTTP_LIMIT},
            },
        }
        answer, _ = ask(self._client, "/v2/enqueue", body, self._accepted)
        assert answer.status_code == 413, answer.text
        self._accepted.refusal()


class KafkaAlerts:
    """A producer of the public topic, which knows the id of each of its signals."""

    def __init__(self, bootstrap: str, tenant: dict[str, str], accepted: Accepted) -> None:
        self._tenant = tenant
        self._accepted = accepted
        self.failure: BaseException | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                # Without it a lost ack makes a repeat in the log, as with most clients.
                "enable.idempotence": False,
                "delivery.timeout.ms": 170_000,
                "message.max.bytes": 4 * MAX_RECORD_BYTES,
                "log_level": 0,
            }
        )
        self._late: list[tuple[float, bytes, str]] = []

    def send(self, action: str, key: str, chance: random.Random) -> None:
        signal_id = str(uuid.uuid4())
        skew = chance.choice((-26, 35)) if chance.random() < 0.1 else 0
        now = time.time_ns() // 1000
        value = codec.encode_row(
            AlertSignal(
                routing_key=self._tenant["routing_key"],
                action=action,
                dedup_key=f"kafka-{key}",
                summary=f"Disk is filling up: {key}",
                severity="error",
                signal_id=signal_id,
                starts_at=now + skew * YEAR_MS * 1000,
                labels={"team": "storage"},
            )
        )
        self._produce(key, value, signal_id, timestamp=now // 1000 + skew * YEAR_MS)
        odd = chance.random()
        if odd < 0.05:
            # Twice at once, as a producer that did not hear the first ack.
            self._produce(key, value, signal_id)
        elif odd < 0.1:
            # And again after everything else has gone on.
            self._late.append((time.monotonic() + chance.uniform(5, 40), value, key))
        self._repeat_late()
        self._producer.poll(0)

    def send_corrupt(self, chance: random.Random) -> None:
        """Append what no reader can decode: cut Avro, or no frame at all."""
        whole = codec.encode_row(AlertSignal(routing_key=self._tenant["routing_key"], action="trigger", summary="x"))
        value = chance.choice((whole[: len(whole) // 2], b"\x00\x00\x00\x00\x01\xff\xff\xff", b"not Avro", b""))

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                self.failure = AssertionError(f"Kafka refused garbage: {error.str()}")
            else:
                self._accepted.garbage()

        self._producer.produce(ALERT_SIGNALS, value, b"garbage", on_delivery=delivered)
        self._producer.poll(0)

    def send_large(self) -> None:
        """Append a signal as large as the topic takes, which no command has room for; and a larger one, which it refuses."""
        signal_id = str(uuid.uuid4())
        large = AlertSignal(
            routing_key=self._tenant["routing_key"],
            action="trigger",
            dedup_key="kafka-large",
            summary="large",
            signal_id=signal_id,
            labels={"dump": "y" * (MAX_RECORD_BYTES - 1_000)},
        )
        self._produce("large", codec.encode_row(large), signal_id)

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is None or error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
                self.failure = AssertionError(f"Kafka took a record of 2 MB: {error}")
            self._accepted.refusal()

        self._producer.produce(ALERT_SIGNALS, b"y" * 2 * MAX_RECORD_BYTES, b"large", on_delivery=delivered)
        self._producer.poll(0)

    def finish(self) -> None:
        """Send what is late still, and wait for every ack."""
        for _, value, key in self._late:
            self._produce(key, value, "")
        self._late.clear()
        assert self._producer.flush(180) == 0, "Kafka did not take every signal"
        if self.failure is not None:
            raise self.failure

    def _repeat_late(self) -> None:
        due = [late for late in self._late if late[0] <= time.monotonic()]
        for late in due:
            self._late.remove(late)
            self._produce(late[2], late[1], "")

    def _produce(self, key: str, value: bytes, signal_id: str, *, timestamp: int = 0) -> None:
        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                self.failure = AssertionError(f"Kafka refused a signal: {error.str()}")
            elif signal_id:
                self._accepted.signal(signal_id, self._tenant["tenant_id"])

        while True:
            try:
                self._producer.produce(ALERT_SIGNALS, value, key.encode(), on_delivery=delivered, timestamp=timestamp)
            except BufferError:
                self._producer.poll(0.5)
            else:
                return


def action(chance: random.Random) -> str:
    return chance.choices(_ACTIONS, (6, 2, 2))[0]
