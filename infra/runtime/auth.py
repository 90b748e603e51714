"""Who calls, and for which tenant: decided by keys alone, never by what a request says of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

from infra.runtime.postgres import Database
from infra.runtime.problems import problem
from streams.ids import routing_of

API_KEY: Final = "dd-api-key"
APPLICATION_KEY: Final = "dd-application-key"
FRESH_SECONDS: Final = 1.0
"""How long an answer of the database is believed: a key that is revoked is refused this long afterwards at most."""

_REMEMBERED: Final = 10_000
_KEY_LIMIT: Final = 256

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """credential_id: of the application key. actor: "user:ID". grant: under what the edge let the request in."""

    tenant_id: str
    credential_id: str
    actor: str
    grant: str

    @property
    def user_id(self) -> str:
        return self.actor.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the alerts of a routing key go. routing: the key's hash, which stands for it in topics and logs."""

    tenant_id: str
    project_id: str
    project_key: str
    routing: str


class Gate:
    """Checks keys by their digest in Postgres. Raises StoreUnavailable where that is away: no key is waved through."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._credentials: _Fresh[dict[str, Any] | None] = _Fresh(self._credential, clock)
        self._routes: _Fresh[Route | None] = _Fresh(self._route, clock)

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls. headers: with names in lower case. Problem 401 where a key is missing, 403 where it is wrong."""
        api_key, application_key = headers.get(API_KEY, ""), headers.get(APPLICATION_KEY, "")
        missing = [name for name, key in (("DD-API-KEY", api_key), ("DD-APPLICATION-KEY", application_key)) if not key]
        if missing:
            raise problem(
                401,
                "auth.key_missing",
                f"the request needs the header {' and the header '.join(missing)}",
                headers={"WWW-Authenticate": "DD-API-KEY"},
            )
        api, application = await asyncio.gather(self._known(api_key), self._known(application_key))
        if api is None or api["kind"] != "api_key":
            raise problem(403, "auth.key_unknown", "the API key is not valid", field="DD-API-KEY")
        if application is None or application["kind"] != "application_key":
            raise problem(403, "auth.key_unknown", "the application key is not valid", field="DD-APPLICATION-KEY")
        if api["tenant_id"] != application["tenant_id"]:
            raise problem(403, "auth.key_unknown", "the application key is not valid", field="DD-APPLICATION-KEY")
        return Caller(
            tenant_id=str(api["tenant_id"]),
            credential_id=str(application["credential_id"]),
            actor=f"user:{application['owner']}",
            grant="application_key",
        )

    async def route(self, routing_key: str) -> Route | None:
        """Return where a routing key's alerts go, None where it is not a live key."""
        if not routing_key or len(routing_key) > _KEY_LIMIT:
            return None
        return await self._routes.get(_digest(routing_key))

    async def _known(self, key: str) -> dict[str, Any] | None:
        return None if len(key) > _KEY_LIMIT else await self._credentials.get(_digest(key))

    async def _credential(self, digest: str) -> dict[str, Any] | None:
        async with self._database.anyone() as connection:
            return await (await connection.execute("SELECT * FROM authenticate(%s)", (digest,))).fetchone()

    async def _route(self, digest: str) -> Route | None:
        async with self._database.anyone() as connection:
            found = await (await connection.execute("SELECT * FROM route(%s)", (digest,))).fetchone()
        if found is None:
            return None
        return Route(
            tenant_id=str(found["tenant_id"]),
            project_id=str(found["project_id"]),
            project_key=found["project_key"],
            routing=routing_of(digest),
        )


class _Fresh(Generic[V]):
    """Answers by digest, each asked for once at a time and believed for a second."""

    def __init__(self, ask: Callable[[str], Awaitable[V]], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._answers: dict[str, tuple[float, asyncio.Future[V]]] = {}

    async def get(self, digest: str) -> V:
        held = self._answers.get(digest)
        if held is not None and self._clock() - held[0] < FRESH_SECONDS:
            if held[1].done():
                return held[1].result()
            # Shielded: a caller who goes away must not take the answer from the others.
            return await asyncio.shield(held[1])
        if len(self._answers) >= _REMEMBERED:
            self._answers.clear()
        asked = asyncio.ensure_future(self._ask(digest))
        # Looked at here, because all who wait for it may be gone when it fails.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._answers[digest] = (self._clock(), asked)
        try:
            return await asyncio.shield(asked)
        except BaseException:
            if self._answers.get(digest, (0.0, None))[1] is asked:
                del self._answers[digest]
            raise


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
