"""From a signal to the command that stage `alerts` reads, and the port by which receivers append it."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import uuid4

from infra.runtime.auth import Route
from infra.runtime.kafka import CommandLog
from infra.runtime.logging import context, debugging, logger
from schemas import codec
from schemas.topics import MAX_RECORD_BYTES
from sources import metrics
from sources.limits import over
from sources.signal import Invalid, Signal
from streams.alerts.commands import RecordSignal
from streams.envelope import Envelope, Origin
from streams.ids import aggregate_key, alert_id
from streams.text import Sealed
from streams.topics import ALERT_COMMANDS

RECORD_BYTES: Final = MAX_RECORD_BYTES - 16_384
"""Of a command: the records that stages make of it are a little larger, and must fit as well."""
GRANT: Final = "routing_key"
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_log = logger("sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command ready to append. dedup_key: as the alert has it, the server's own where the sender gave none."""

    key: str
    value: bytes
    signal_id: str
    dedup_key: str
    action: str


def command(
    signal: Signal,
    route: Route,
    *,
    source: str,
    signal_id: str,
    at: int,
    origin: Origin | None = None,
    traceparent: str | None = None,
) -> Command:
    """Return the command that records a signal. The same arguments give the same bytes.

    at: microseconds since 1970. origin: of a signal that stood in a log. Raises Invalid where it is too large.
    """
    dedup_key = signal.dedup_key if signal.dedup_key is not None else signal_id
    alert = alert_id(route.routing, dedup_key)
    envelope = Envelope(
        tenant_id=route.tenant_id,
        aggregate_id=alert,
        id=signal_id,
        correlation_id=signal_id,
        source=source,
        origin=origin,
        actor=f"integration:{source}",
        grant=GRANT,
        occurred_at=at,
        recorded_at=at,
        traceparent=traceparent,
    )
    body = RecordSignal(
        action=signal.action,
        project_id=route.project_id,
        project_key=route.project_key,
        dedup_key=dedup_key,
        summary=Sealed.plain(signal.summary),
        description=Sealed.plain(signal.description),
        priority=signal.priority,
        labels=signal.labels,
        details=Sealed(signal.details),
        starts_at=signal.starts_at,
    )
    value = codec.encode(envelope, body)
    if len(value) > RECORD_BYTES:
        raise Invalid([over("signal", len(value), RECORD_BYTES, "bytes as a record")])
    return Command(
        key=aggregate_key(route.tenant_id, alert),
        value=value,
        signal_id=signal_id,
        dedup_key=dedup_key,
        action=signal.action.value,
    )


def traceparent(header: str | None) -> str | None:
    """Return a W3C trace parent as it came, None where it is not well formed."""
    return header if header is not None and _TRACEPARENT.fullmatch(header) else None


class Routes(Protocol):
    """Knows routing keys."""

    async def route(self, routing_key: str) -> Route | None:
        """Return where a key's signals go, None where it is not a live key. Raises StoreUnavailable."""
        ...


def _now() -> int:
    return time.time_ns() // 1000


def _mint() -> str:
    return str(uuid4())


class Inlet:
    """By which every receiver takes signals in. now: microseconds since 1970. mint: makes ids of signals."""

    def __init__(
        self, routes: Routes, log: CommandLog, *, now: Callable[[], int] = _now, mint: Callable[[], str] = _mint
    ) -> None:
        self._routes = routes
        self._log = log
        self._now = now
        self._mint = mint

    async def route(self, routing_key: str) -> Route | None:
        """Return where a key's signals go, None where it is not a live key. Raises StoreUnavailable."""
        return await self._routes.route(routing_key)

    async def take(
        self, signals: Sequence[Signal], route: Route, *, source: str, traceparent: str | None = None
    ) -> list[Command]:
        """Append signals and return their commands once the broker has acked them ALL.

        Those of one dedup key in order, the others at once. Raises Invalid with nothing appended, and BrokerUnavailable
        where any was not taken: the sender sends all of them again, and those that were taken come to nothing new.
        """
        at = self._now()
        commands = [
            command(
                signal,
                route,
                source=source,
                signal_id=signal.signal_id or self._mint(),
                at=at,
                traceparent=traceparent,
            )
            for signal in signals
        ]
        if len(commands) == 1:
            await self._in_order(commands)
        else:
            await self._by_key(commands)
        told = debugging("sources")
        for made in commands:
            metrics.SIGNALS.labels(source, made.action).inc()
            if told:
                with context(tenant_id=route.tenant_id, command_id=made.signal_id):
                    _log.debug("signal", source=source, action=made.action, routing=route.routing)
        return commands

    async def _by_key(self, commands: Sequence[Command]) -> None:
        by_key: dict[str, list[Command]] = defaultdict(list)
        for made in commands:
            by_key[made.key].append(made)
        ends = await asyncio.gather(*(self._in_order(group) for group in by_key.values()), return_exceptions=True)
        failed = [end for end in ends if isinstance(end, BaseException)]
        if failed:
            raise failed[0]

    async def _in_order(self, commands: Sequence[Command]) -> None:
        for made in commands:
            await self._log.append(ALERT_COMMANDS, made.key, made.value)
