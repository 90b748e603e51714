"""Wakes the live streams of tenants, by Redis. Only a wake-up: what is new stands in Postgres."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

CHANNEL: Final = "casestream.live."
TIMEOUT_SECONDS: Final = 1.0
REST_SECONDS: Final = 1.0
_log = structlog.get_logger()


class Live:
    """Publishes to `casestream.live.<tenant_id>`, empty. On a thread of its own, so that nobody waits for Redis.

    Tenants that are woken again before they are published are published once. While Redis is away they are kept, and
    published when it is back.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._due: set[str] = set()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def wake(self, tenant_ids: Iterable[str]) -> None:
        """Have these tenants' streams woken. Returns at once and never raises."""
        with self._changed:
            self._due.update(tenant_ids)
            if self._due:
                self._changed.notify()

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(2 * TIMEOUT_SECONDS)
        self._redis.close()

    def _run(self) -> None:
        away = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._closed.is_set())
                due, self._due = self._due, set()
            if not due:
                return
            try:
                self._publish(due)
            except RedisError as error:
                if not away:
                    _log.warning("Redis does not take wake-ups; live streams are late", cause=str(error))
                away = True
                if self._closed.wait(REST_SECONDS):
                    return
                with self._changed:
                    self._due |= due
            else:
                away = False

    def _publish(self, tenant_ids: Iterable[str]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for tenant_id in tenant_ids:
                pipeline.publish(CHANNEL + tenant_id, b"")
            pipeline.execute()
