"""The edge without engines: a log in memory, routing keys that are known, and the HTTP application over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final, cast

from starlette.applications import Starlette

import sources.http
from infra.runtime.auth import Route
from infra.runtime.errors import BrokerUnavailable, StoreUnavailable
from infra.runtime.http import EXCEPTION_HANDLERS
from infra.runtime.kafka import Position
from infra.runtime.services import Services
from schemas import codec
from schemas.topics import MAX_RECORD_BYTES
from streams.alerts.commands import RecordSignal
from streams.envelope import Envelope
from streams.ids import routing_hash

TENANT: Final = "3c6e4b2a-0000-4000-8000-000000000001"
OTHER_TENANT: Final = "3c6e4b2a-0000-4000-8000-000000000002"
PROJECT: Final = "3c6e4b2a-0000-4000-8000-00000000000a"
KEY: Final = "0123456789abcdef0123456789abcdef"
OTHER_KEY: Final = "fedcba9876543210fedcba9876543210"


def route(key: str = KEY, tenant_id: str = TENANT) -> Route:
    """Where the signals of a key go."""
    return Route(tenant_id=tenant_id, project_id=PROJECT, project_key="OPS", routing=routing_hash(key))


@dataclass
class MemoryCommandLog:
    """Keeps what is appended. away: the next so many appends fail, as with a broker that is away."""

    records: list[tuple[str, str, bytes]] = field(default_factory=list)
    away: int = 0

    async def append(self, topic: str, key: str, value: bytes) -> Position:
        if len(value) > MAX_RECORD_BYTES:
            raise ValueError(f"a record of {len(value)} bytes; the limit is {MAX_RECORD_BYTES}")
        if self.away > 0:
            self.away -= 1
            raise BrokerUnavailable
        offset = sum(of == topic for of, _, _ in self.records)
        self.records.append((topic, key, value))
        return Position(topic, 0, offset)

    def signals(self) -> list[tuple[Envelope, RecordSignal]]:
        """Every command in the log, decoded."""
        decoded = [codec.decode(value) for _, _, value in self.records]
        return [(d.envelope, d.body) for d in decoded]


@dataclass
class KnownRoutes:
    """Knows these keys and no others. away: as with a database that does not answer."""

    known: Mapping[str, Route] = field(
        default_factory=lambda: {KEY: route(), OTHER_KEY: route(OTHER_KEY, OTHER_TENANT)}
    )
    away: bool = False

    async def route(self, routing_key: str) -> Route | None:
        if self.away:
            raise StoreUnavailable
        return self.known.get(routing_key)


@dataclass
class Edge:
    """The HTTP application of all sources, and what stands behind it."""

    log: MemoryCommandLog = field(default_factory=MemoryCommandLog)
    gate: KnownRoutes = field(default_factory=KnownRoutes)

    def app(self, db: Any = None) -> Starlette:
        services = cast("Services", SimpleNamespace(gate=self.gate, log=self.log, db=db))
        return Starlette(routes=sources.http.routes(services), exception_handlers=EXCEPTION_HANDLERS)
