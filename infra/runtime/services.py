"""What the API's handlers work with, opened once a process and handed down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.runtime.auth import Gate
from infra.runtime.commands import Commands
from infra.runtime.kafka import CommandLog, KafkaCommandLog
from infra.runtime.outcomes import Outcomes
from infra.runtime.postgres import Database
from infra.runtime.settings import Settings

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch
    from redis.asyncio import Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every one of them may be away for a while; a request that needs it then is answered with 503."""

    settings: Settings
    db: Database
    gate: Gate
    log: CommandLog
    outcomes: Outcomes
    commands: Commands
    redis: Redis
    elasticsearch: AsyncElasticsearch

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Services]:
        """Give the services; closed in order at the end."""
        from elasticsearch import AsyncElasticsearch, OrjsonSerializer
        from redis.asyncio import Redis

        dsn = settings.postgres.reveal()
        search = AsyncElasticsearch(
            settings.elasticsearch,
            serializer=OrjsonSerializer(),
            request_timeout=10,
            max_retries=0,
            sniff_on_start=False,
        )
        wakeups = Redis.from_url(settings.redis, socket_timeout=5, socket_connect_timeout=2, health_check_interval=15)
        try:
            async with (
                Database.open(dsn) as db,
                Outcomes.open(db, dsn) as outcomes,
                KafkaCommandLog(settings.kafka) as log,
            ):
                yield cls(
                    settings=settings,
                    db=db,
                    gate=Gate(db),
                    log=log,
                    outcomes=outcomes,
                    commands=Commands(log, db, outcomes),
                    redis=wakeups,
                    elasticsearch=search,
                )
        finally:
            await search.close()
            await wakeups.aclose()
