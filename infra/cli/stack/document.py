"""What `stack.json` says: where a ready stack is, and with which keys it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from infra.cli.stack.reader import url
from infra.engines.address import Addresses
from infra.engines.ports import HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of a stack once it is ready. reader, app: Postgres DSNs. health: port by role."""

    api: Mapping[str, int]
    health: Mapping[str, int]
    addresses: Addresses = field(repr=False)
    reader: str = field(repr=False)
    app: str = field(repr=False)
    tenants: Sequence[Mapping[str, str]] = field(repr=False)
    engines: str
    started_at: float
    supervisor: int


def document(facts: Facts, pids: Mapping[str, int]) -> dict[str, Any]:
    """Return the document. pids: of the processes that run now.

    `postgres` reads all tenants and writes nothing; `postgres_app` is what the API has, bound to the tenant that a
    transaction names in `app.tenant`.
    """
    return {
        "http": f"http://{HOST}:{facts.api['http']}",
        "grpc": f"{HOST}:{facts.api['grpc']}",
        "kafka": facts.addresses.kafka,
        "postgres": url(facts.reader),
        "elasticsearch": facts.addresses.elasticsearch,
        "redis": facts.addresses.redis,
        "tenants": [dict(tenant) for tenant in facts.tenants],
        "postgres_app": url(facts.app),
        "engines": facts.engines,
        "health": {name: f"http://{HOST}:{port}" for name, port in facts.health.items()},
        "supervisor": facts.supervisor,
        "pids": dict(pids),
        "started_at": datetime.fromtimestamp(facts.started_at, UTC).isoformat(timespec="seconds"),
        "version": version("casestream"),
    }
