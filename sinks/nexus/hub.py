"""Live streams: one feed a tenant reads what is new once, and hands it to every client of that tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from prometheus_client import Counter, Gauge
from redis.asyncio import Redis

from infra.runtime.errors import StoreUnavailable
from infra.runtime.logging import logger
from infra.runtime.postgres import Database
from sinks.nexus.cursor import Cursor, CursorUnknown
from sinks.nexus.store import LiveStore
from sinks.nexus.wakeups import WakeUps

LOOK_SECONDS: Final = 1.0
"""How often a feed looks by itself: all there is while Redis is away."""

QUEUE_LIMIT: Final = 1_000
"""How many events a client may be behind before it is told to begin anew."""

CLIENTS: Final = Gauge("nexus_clients", "Clients of live streams.")
EVENTS: Final = Counter("nexus_events", "Events handed to clients of live streams.")
RESYNCS: Final = Counter("nexus_resyncs", "Clients that were told to begin anew.", ["why"])
_log = logger("nexus")

Row: TypeAlias = Mapping[str, Any]


class Why(StrEnum):
    """Why a client has to read everything again and begin a new stream."""

    CURSOR_UNKNOWN = "cursor_unknown"
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The stream begins here, or is here again after what was missed: nothing is lost from now on."""

    cursor: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of a case, with the case's columns as `case_KEY`. cursor: right after it."""

    row: Row
    cursor: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync:
    """The last message of a stream."""

    why: Why


Message: TypeAlias = Ready | Happened | Resync


@dataclass(eq=False, slots=True)
class _Client:
    """why: for what it is told to begin anew once `ended` is set; None where it just comes back."""

    queue: asyncio.Queue[Row]
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    why: Why | None = None

    def offer(self, row: Row) -> None:
        try:
            self.queue.put_nowait(row)
        except asyncio.QueueFull:
            self.end(Why.OVERFLOW)

    def end(self, why: Why | None) -> None:
        self.why = self.why or why
        self.ended.set()


class _Feed:
    """Follows one tenant from where it began. position: up to where its clients' queues were given everything."""

    def __init__(self, tenant_id: str, store: LiveStore, wakeups: WakeUps, position: Cursor) -> None:
        self.position = position
        self.clients: set[_Client] = set()
        self._tenant_id = tenant_id
        self._store = store
        self._wakeups = wakeups
        self.task = asyncio.create_task(self._run(), name="nexus-feed")

    async def _run(self) -> None:
        with self._wakeups.listening(self._tenant_id) as woken:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await woken.wait()
                woken.clear()
                try:
                    await self._follow()
                except StoreUnavailable as away:
                    _log.warning("live streams wait", cause=str(away))
                except Exception:
                    _log.exception("a live feed failed; its clients begin anew")
                    for client in self.clients:
                        client.end(Why.OVERFLOW)
                    raise

    async def _follow(self) -> None:
        until = await self._store.bound()
        while self.position != until:
            rows, reached = await self._store.events(self._tenant_id, self.position, until)
            # No await from here on: a client that joins sees the position and the queues together.
            for row in rows:
                for client in self.clients:
                    client.offer(row)
            self.position = reached


class Hub:
    """The live streams of a process. Feeds begin with their first client and end with their last."""

    def __init__(
        self, database: Database, redis: Redis, *, store: LiveStore | None = None, limit: int = QUEUE_LIMIT
    ) -> None:
        self._store = store or LiveStore(database)
        self._wakeups = WakeUps(redis)
        self._limit = limit
        self._feeds: dict[str, _Feed] = {}
        self._opening = asyncio.Lock()
        self._closed = False

    async def stream(self, tenant_id: str, last_event_id: str | None) -> AsyncGenerator[Message, None]:
        """Give the tenant's events from a cursor on, without gap or repetition; None: from now on.

        `Ready` comes once nothing that was missed is left. It ends after `Resync`, and when the hub is closed. Raises
        StoreUnavailable where Postgres is away at the beginning; later on it waits.
        """
        async with self._joined(tenant_id) as (client, joined):
            try:
                cursor = joined if last_event_id is None else _known(last_event_id, await self._store.bound())
            except CursorUnknown:
                RESYNCS.labels(Why.CURSOR_UNKNOWN).inc()
                yield Resync(why=Why.CURSOR_UNKNOWN)
                return
            async for message in self._missed(tenant_id, cursor, joined):
                cursor = message.cursor
                yield message
            # What the cursor is ahead of the feed comes again in the queue: it is passed over there.
            cursor = _later(cursor, joined)
            yield Ready(cursor=cursor)
            while (row := await _next(client)) is not None:
                partition, offset = row["partition"], row["offset"]
                if offset < cursor.next(partition):
                    continue
                cursor = cursor.past(partition, offset)
                EVENTS.inc()
                yield Happened(row=row, cursor=cursor)
            if client.why is not None:
                RESYNCS.labels(client.why).inc()
                yield Resync(why=client.why)

    def close(self) -> None:
        """End all streams: their clients come back, to another process or to this one's successor. No new ones begin."""
        self._closed = True
        for feed in self._feeds.values():
            for client in feed.clients:
                client.end(None)

    async def _missed(self, tenant_id: str, since: Cursor, until: Cursor) -> AsyncIterator[Happened]:
        """Give what stands between two positions, from the store."""
        cursor = since
        while any(cursor.next(p) < end for p, end in until.next_offsets.items()):
            rows, reached = await self._store.events(tenant_id, cursor, until)
            for row in rows:
                cursor = cursor.past(row["partition"], row["offset"])
                EVENTS.inc()
                yield Happened(row=row, cursor=cursor)
            cursor = _later(cursor, reached)

    @asynccontextmanager
    async def _joined(self, tenant_id: str) -> AsyncIterator[tuple[_Client, Cursor]]:
        """Give a client of the tenant's feed, and from where on its queue has everything."""
        async with self._opening:
            if self._closed:
                raise StoreUnavailable("this process is about to stop")
            feed = self._feeds.get(tenant_id)
            if feed is None or feed.task.done():
                feed = _Feed(tenant_id, self._store, self._wakeups, await self._store.bound())
                self._feeds[tenant_id] = feed
            client = _Client(asyncio.Queue(self._limit))
            feed.clients.add(client)
            joined = feed.position
        CLIENTS.inc()
        try:
            yield client, joined
        finally:
            CLIENTS.dec()
            feed.clients.discard(client)
            if not feed.clients and self._feeds.get(tenant_id) is feed:
                del self._feeds[tenant_id]
                feed.task.cancel()


def _known(text: str, bound: Cursor) -> Cursor:
    """Return the client's cursor. Raises CursorUnknown where it is none, or not one of this log: it would be further.

    bound: read just now. The feed's own position will not do, another process may have shown the client more.
    """
    cursor = Cursor.decode(text)
    if cursor.generation != bound.generation:
        raise CursorUnknown
    if any(offset > bound.next(partition) for partition, offset in cursor.next_offsets.items()):
        raise CursorUnknown
    return cursor


def _later(one: Cursor, other: Cursor) -> Cursor:
    partitions = {*one.next_offsets, *other.next_offsets}
    return Cursor(generation=one.generation, next_offsets={p: max(one.next(p), other.next(p)) for p in partitions})


async def _next(client: _Client) -> Row | None:
    """Return the next event, None once the client is to end."""
    if client.ended.is_set():
        return None
    if not client.queue.empty():
        return client.queue.get_nowait()
    got = asyncio.ensure_future(client.queue.get())
    over = asyncio.ensure_future(client.ended.wait())
    try:
        await asyncio.wait({got, over}, return_when=asyncio.FIRST_COMPLETED)
        return got.result() if got.done() and not over.done() else None
    finally:
        got.cancel()
        over.cancel()
