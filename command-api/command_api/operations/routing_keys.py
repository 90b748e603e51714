"""Routing keys: secrets that let alerts into one project. Only their digests are kept."""

from __future__ import annotations

import secrets
from hashlib import sha256
from hmac import new as hmac

from command_api.operations import configuration
from command_api.operations.written import Removed, Written
from infra.runtime.auth import Caller
from infra.runtime.commands import Ask
from infra.runtime.services import Services
from sinks.postgres import reads
from streams.config.commands import BindRoutingKey, RevokeRoutingKey


def mint(application_key: str, idempotency_key: str | None, project_id: str) -> str:
    """Return a new routing key: 32 hex digits, 128 bits.

    A request that may be repeated must get the same answer, and the key is stored nowhere: under an Idempotency-Key it
    follows from that, the project and the caller's own secret, which nobody else has.
    """
    if idempotency_key is None:
        return secrets.token_hex(16)
    asked = f"routing key/{project_id}/{idempotency_key}"
    return hmac(application_key.encode(), asked.encode(), sha256).hexdigest()[:32]


async def create_routing_key(
    services: Services, caller: Caller, ask: Ask, *, project_id: str, routing_key: str
) -> Written:
    """Let alerts that carry `routing_key` into a project."""
    body = BindRoutingKey(digest=sha256(routing_key.encode()).hexdigest(), project_id=project_id)
    submitted = await configuration.submit(services, caller, "create_routing_key", ask, body)
    async with services.db.tenant(caller.tenant_id) as connection:
        rows = await reads.routing_keys(connection)
    row = next((r for r in rows if str(r["routing_id"]) == submitted.outcome.aggregate_id), None)
    return Written.of(row, submitted, "routing_key")


async def revoke_routing_key(services: Services, caller: Caller, ask: Ask, *, routing_key: str) -> Removed:
    """Let no more alerts in by a routing key, named by its id. It is refused within a second."""
    body = RevokeRoutingKey(routing_id=configuration.object_id("routing_key", routing_key))
    return Removed.of(await configuration.submit(services, caller, "delete_routing_key", ask, body))
