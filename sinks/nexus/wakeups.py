"""When a tenant's live streams have something new: told by Redis, which may be away."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.runtime.logging import logger

CHANNEL: Final = "casestream.live."
"""The beginning of a tenant's channel."""

REST_SECONDS: Final = 1.0
_log = logger("nexus")


class WakeUps:
    """One subscription a process, to all tenants' channels, while anybody listens.

    Losing wake-ups costs only time: whoever listens looks by himself as well.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def listening(self, tenant_id: str) -> Iterator[asyncio.Event]:
        """Give an event that is set when the tenant is woken, until left."""
        woken = asyncio.Event()
        self._listeners[tenant_id].add(woken)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="nexus-wakeups")
        try:
            yield woken
        finally:
            self._listeners[tenant_id].discard(woken)
            if not self._listeners[tenant_id]:
                del self._listeners[tenant_id]
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _run(self) -> None:
        away = False
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.psubscribe(f"{CHANNEL}*")
                    away = False
                    # What came before the subscription was not heard.
                    self._wake_all()
                    while True:
                        message = await subscription.get_message(timeout=REST_SECONDS)
                        if message is not None:
                            self._wake(message["channel"].decode().removeprefix(CHANNEL))
            except (RedisError, OSError) as error:
                if not away:
                    _log.warning("no wake-ups from Redis; live streams look once a second", cause=str(error))
                away = True
            await asyncio.sleep(REST_SECONDS)

    def _wake(self, tenant_id: str) -> None:
        for woken in self._listeners.get(tenant_id, ()):
            woken.set()

    def _wake_all(self) -> None:
        for tenant_id in tuple(self._listeners):
            self._wake(tenant_id)
