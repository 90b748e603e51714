"""A stream of signals from two kinds of senders, HTTP and Kafka, that keeps on whatever dies; and what it was told.

Senders behave as real ones: an answer that did not come, or a 5xx, is sent again. Each accepted signal is written down
with its id, because each must end in one receipt.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from confluent_kafka import KafkaError, Message, Producer

from schemas import codec
from schemas.signal import AlertSignal
from streams.topics import ALERT_SIGNALS

GIVE_UP_SECONDS: Final = 180.0


@dataclass(slots=True)
class Storm:
    """count: signals in all, half by HTTP and half by Kafka. rate: a second. keys: how many alerts they are about."""

    http: str
    kafka: str
    routing_key: str
    count: int = 2_000
    rate: float = 25.0
    keys: int = 300
    seed: int = 1
    accepted: set[str] = field(default_factory=set)
    retried: int = 0
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failure: BaseException | None = None

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, name="storm", daemon=True)
        thread.start()
        return thread

    def done(self, thread: threading.Thread) -> bool:
        """Whether all is sent. Raises what ended it early."""
        if self._failure is not None:
            raise self._failure
        return not thread.is_alive()

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as failure:  # noqa: BLE001 - told to whoever waits
            self._failure = failure

    def _run(self) -> None:
        chance = random.Random(self.seed)
        producer = Producer(
            {"bootstrap.servers": self.kafka, "acks": "all", "delivery.timeout.ms": 170_000, "log_level": 0}
        )
        began = time.monotonic()
        with (
            httpx.Client(base_url=self.http, timeout=15, trust_env=False) as client,
            ThreadPoolExecutor(8, thread_name_prefix="sender") as pool,
        ):
            for n in range(self.count):
                time.sleep(max(0.0, began + n / self.rate - time.monotonic()))
                key = f"chaos-{chance.randrange(self.keys)}"
                action = chance.choices(("trigger", "acknowledge", "resolve"), (6, 2, 2))[0]
                if n % 2:
                    self._produce(producer, action, key)
                else:
                    pool.submit(self._post, client, action, key).add_done_callback(self._looked_at)
                self.sent = n + 1
        assert producer.flush(GIVE_UP_SECONDS) == 0, "Kafka did not take every signal"

    def _looked_at(self, done: Any) -> None:
        failed = done.exception()
        if failed is not None:
            self._failure = failed

    def _produce(self, producer: Producer, action: str, key: str) -> None:
        signal_id = str(uuid.uuid4())
        value = codec.encode_row(
            AlertSignal(
                routing_key=self.routing_key,
                action=action,
                dedup_key=f"kafka-{key}",
                summary=f"Disk is filling up: {key}",
                severity="error",
                signal_id=signal_id,
                labels={"team": "storage"},
            )
        )

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                self._failure = AssertionError(f"Kafka refused a signal: {error.str()}")
                return
            with self._lock:
                self.accepted.add(signal_id)

        producer.produce(ALERT_SIGNALS, value, key.encode(), on_delivery=delivered)
        producer.poll(0)

    def _post(self, client: httpx.Client, action: str, key: str) -> None:
        body = {
            "routing_key": self.routing_key,
            "event_action": action,
            "dedup_key": f"http-{key}",
            "payload": {"summary": f"Latency is high: {key}", "source": "lb", "severity": "critical"},
        }
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                answer = client.post("/v2/enqueue", json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                assert answer.status_code == 202, answer.text
                with self._lock:
                    self.accepted.add(answer.headers["x-signal-id"])
                return
            assert time.monotonic() < deadline, f"not accepted for {GIVE_UP_SECONDS:.0f} s: {answer and answer.text}"
            with self._lock:
                self.retried += 1
            time.sleep(0.5)
