"""What reads work with, beyond what all of the API shares: the index, when it sees a write, and the live streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from infra.runtime.postgres import Database
from infra.runtime.services import Services
from query_api.search.index import ALIAS, CaseIndex
from query_api.search.visibility import Visibility
from sinks.nexus.hub import Hub


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """One a process: REST and gRPC share it, and with it one live feed a tenant."""

    services: Services
    index: CaseIndex
    visibility: Visibility
    hub: Hub
    now: Callable[[], datetime] = utc_now

    @classmethod
    def of(cls, services: Services, *, alias: str = ALIAS) -> Self:
        """Return the readers of these services. Nothing is opened before it is used."""
        return cls(
            services=services,
            index=CaseIndex(services.elasticsearch, alias=alias),
            visibility=Visibility(services.db, services.settings.postgres.reveal()),
            hub=Hub(services.db, services.redis),
        )

    def close(self) -> None:
        """End the live streams, which would keep a server from stopping: they have no end of their own."""
        self.hub.close()

    @property
    def db(self) -> Database:
        return self.services.db
