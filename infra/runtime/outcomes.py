"""Waiting for what a command came to: the row that the Postgres sink writes together with all views it changed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from infra.runtime.errors import StoreUnavailable
from infra.runtime.kafka import Position
from infra.runtime.logging import logger
from infra.runtime.postgres import Database, listen

Verdict: TypeAlias = Literal["accepted", "rejected", "unchanged"]

CHANNEL: Final = "casestream_outcome"
LOOK_SECONDS: Final = 0.5
"""How often it looks by itself: a notification that was lost with its connection costs this much."""

_log = logger("outcomes")
_SELECT: Final = (
    'SELECT command_id, verdict, code, detail, field, aggregate_id, version, topic, partition, "offset" '
    "FROM command_outcome WHERE tenant_id = %s AND command_id = ANY(%s::uuid[])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command came to. version: of the aggregate after it, None where nothing changed. position: of the record
    that says so; who sees that position sees all that the command changed.
    """

    verdict: Verdict
    code: str | None
    detail: str | None
    field: str | None
    aggregate_id: str
    version: int | None
    position: Position


class Expected:
    """One outcome that is awaited. `wait` may be called once."""

    def __init__(self, outcomes: Outcomes, tenant_id: str, command_id: str) -> None:
        self._outcomes = outcomes
        self._place = (tenant_id, command_id)
        self._future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def wait(self, seconds: float) -> Outcome | None:
        """Return the outcome, None where it did not come in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._future
        except TimeoutError:
            return None

    def _settle(self, outcome: Outcome) -> None:
        if not self._future.done():
            self._future.set_result(outcome)


class Outcomes:
    """One listener a process, however many wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._expected: dict[tuple[str, str], set[Expected]] = defaultdict(set)
        self._woken = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, dsn: str) -> AsyncIterator[Outcomes]:
        """Give the outcomes and listen while inside."""
        outcomes = cls(database)
        tasks = [
            asyncio.create_task(listen(dsn, CHANNEL, outcomes._woken, pause=LOOK_SECONDS), name="outcomes-listen"),
            asyncio.create_task(outcomes._serve(), name="outcomes-serve"),
        ]
        try:
            yield outcomes
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def expecting(self, tenant_id: str, command_id: str) -> AsyncIterator[Expected]:
        """Give what can be waited on. To be entered before the command is appended, so that nothing is missed."""
        expected = Expected(self, tenant_id, command_id)
        place = (tenant_id, command_id)
        self._expected[place].add(expected)
        try:
            yield expected
        finally:
            self._expected[place].discard(expected)
            if not self._expected[place]:
                del self._expected[place]

    async def get(self, tenant_id: str, command_id: str) -> Outcome | None:
        """Return the outcome of a command of the last 24 hours, None where there is none yet."""
        return (await self._read(tenant_id, [command_id])).get(command_id)

    async def _read(self, tenant_id: str, command_ids: list[str]) -> dict[str, Outcome]:
        async with self._database.tenant(tenant_id) as connection:
            rows = await (await connection.execute(_SELECT, (tenant_id, command_ids))).fetchall()
        return {str(row["command_id"]): _outcome(row) for row in rows}

    async def _serve(self) -> None:
        """Look for what is expected when woken, and now and then."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            by_tenant: dict[str, list[str]] = defaultdict(list)
            for tenant_id, command_id in self._expected:
                by_tenant[tenant_id].append(command_id)
            for tenant_id, command_ids in by_tenant.items():
                try:
                    found = await self._read(tenant_id, command_ids)
                except StoreUnavailable as away:
                    _log.warning("outcomes cannot be read", cause=str(away))
                    break
                for command_id, outcome in found.items():
                    for expected in tuple(self._expected.get((tenant_id, command_id), ())):
                        expected._settle(outcome)  # noqa: SLF001 - the other half of this module


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(
        verdict=cast("Verdict", row["verdict"]),
        code=row["code"],
        detail=row["detail"],
        field=row["field"],
        aggregate_id=row["aggregate_id"],
        version=row["version"],
        position=Position(row["topic"], row["partition"], row["offset"]),
    )
