"""Routing keys as the Kafka source looks them up: many at once, in Postgres, by their digests. For one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import psycopg
from psycopg import pq

from infra.runtime.auth import FRESH_SECONDS, Route
from infra.runtime.errors import StoreUnavailable
from infra.runtime.postgres import AWAY, first_line
from streams.ids import routing_hash

REMEMBERED: Final = 50_000
_KEY_LIMIT: Final = 256
_ROUTES: Final = (
    "SELECT d.digest, r.tenant_id::text, r.project_id::text, r.project_key "
    "FROM unnest(%s::text[]) AS d(digest) CROSS JOIN LATERAL route(d.digest) AS r"
)
_TENANTS: Final = "SELECT id::text FROM tenants_among(%s::uuid[]) AS t(id)"


class RoutingKeys:
    """Asks as the application role. An answer is believed for a second at most."""

    def __init__(self, dsn: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._dsn = dsn
        self._clock = clock
        self._connection: psycopg.Connection[Any] | None = None
        self._routes: dict[str, tuple[float, Route | None]] = {}
        self._tenants: dict[str, tuple[float, bool]] = {}

    def lookup(self, keys: Iterable[str]) -> Mapping[str, Route | None]:
        """Return where the signals of each key go, None where it is not a live key. Raises StoreUnavailable."""
        now = self._clock()
        if len(self._routes) > REMEMBERED:
            self._routes.clear()
        wanted = set(keys)
        asked = [key for key in wanted if not self._fresh(self._routes.get(key), now)]
        if asked:
            digests = {sha256(key.encode()).hexdigest(): key for key in asked if 0 < len(key) <= _KEY_LIMIT}
            rows = self._run(lambda connection: connection.execute(_ROUTES, (list(digests),)).fetchall())
            found = {digests[digest]: place for digest, *place in rows}
            self._routes |= {key: (now, _route(key, *found[key]) if key in found else None) for key in asked}
        return {key: self._routes[key][1] for key in wanted}

    def tenants(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of the UUIDs that are tenants. Raises StoreUnavailable."""
        now = self._clock()
        if len(self._tenants) > REMEMBERED:
            self._tenants.clear()
        asked = [i for i in set(ids) if not self._fresh(self._tenants.get(i), now)]
        if asked:
            rows = self._run(lambda connection: connection.execute(_TENANTS, (asked,)).fetchall())
            found = {row[0] for row in rows}
            self._tenants |= {i: (now, i in found) for i in asked}
        return frozenset(i for i in ids if self._tenants[i][1])

    def ping(self) -> None:
        """Raise StoreUnavailable unless Postgres answers."""
        self._run(lambda connection: connection.execute("SELECT 1"))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _fresh(held: tuple[float, Any] | None, now: float) -> bool:
        return held is not None and now - held[0] < FRESH_SECONDS

    def _run(self, use: Callable[[psycopg.Connection[Any]], Any]) -> Any:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._dsn,
                    autocommit=True,
                    connect_timeout=5,
                    options="-c statement_timeout=10s",
                    # A server that vanished is noticed although nothing is sent.
                    keepalives_idle=10,
                    tcp_user_timeout=10_000,
                )
            return use(self._connection)
        except AWAY as error:
            if self._connection is not None and self._connection.pgconn.status != pq.ConnStatus.OK:
                self.close()
            raise StoreUnavailable(f"Postgres does not answer: {first_line(error)}") from error


def _route(key: str, tenant_id: str, project_id: str, project_key: str) -> Route:
    return Route(tenant_id=tenant_id, project_id=project_id, project_key=project_key, routing=routing_hash(key))
