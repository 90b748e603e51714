"""Waiting until a search sees a position of the log: the index is refreshed about once a second."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from infra.runtime.errors import StoreUnavailable
from infra.runtime.kafka import Position
from infra.runtime.logging import logger
from infra.runtime.postgres import Database, listen
from infra.runtime.problems import problem
from streams.topics import CASE_EVENTS

SINK: Final = "sink.elasticsearch.case"
CHANNEL: Final = "casestream_visible"
WAIT_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.25
"""How often it looks by itself: a notification that was lost costs this much."""
LINGER_SECONDS: Final = 30.0
"""How long it goes on listening when nobody waits."""

_SELECT: Final = (
    "SELECT partition, coalesce(visible_next_offset, 0) AS seen FROM projection_offset WHERE sink = %s AND topic = %s"
)
_log = logger("visibility")


class Visibility:
    """One listener a process, while anybody waits. seen: by partition, the first offset not yet seen."""

    def __init__(self, database: Database, dsn: str, *, sink: str = SINK) -> None:
        self._database = database
        self._dsn = dsn
        self._sink = sink
        self._seen: dict[int, int] = {}
        self._changed = asyncio.Condition()
        self._woken = asyncio.Event()
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    async def wait(self, position: Position, seconds: float = WAIT_SECONDS) -> None:
        """Return once a search sees `position`: at once for other topics than the cases', which no search is made of.

        Problem 504 "search.pending" past the bound.
        """
        if position.topic != CASE_EVENTS or self._sees(position):
            return
        self._waiting += 1
        try:
            self._listen()
            self._woken.set()
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._sees(position))
        except TimeoutError:
            detail = f"a search does not see {position} yet; repeat it, or leave X-Position out"
            raise problem(504, "search.pending", detail, field="X-Position", headers={"Retry-After": "1"}) from None
        finally:
            self._waiting -= 1

    def _sees(self, position: Position) -> bool:
        return self._seen.get(position.partition, 0) > position.offset

    def _listen(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="search-visibility")

    async def _run(self) -> None:
        """Look when woken, and now and then, as long as anybody waits and a little longer."""
        listening = asyncio.create_task(
            listen(self._dsn, CHANNEL, self._woken, pause=LOOK_SECONDS), name="search-visibility-listen"
        )
        idle_since = asyncio.get_running_loop().time()
        try:
            while self._waiting or asyncio.get_running_loop().time() - idle_since < LINGER_SECONDS:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if self._waiting else LINGER_SECONDS):
                        await self._woken.wait()
                self._woken.clear()
                if self._waiting:
                    idle_since = asyncio.get_running_loop().time()
                    await self._look()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _look(self) -> None:
        try:
            async with self._database.anyone() as connection:
                rows: list[dict[str, Any]] = await (
                    await connection.execute(_SELECT, (self._sink, CASE_EVENTS))
                ).fetchall()
        except StoreUnavailable as away:
            _log.warning("positions cannot be read", cause=str(away))
            return
        async with self._changed:
            # Replaced as a whole: a rebuild moves positions back.
            self._seen = {row["partition"]: row["seen"] for row in rows}
            self._changed.notify_all()
