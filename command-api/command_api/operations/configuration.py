"""Commands to a tenant's configuration, which is one aggregate: its topic is keyed by the tenant alone."""

from __future__ import annotations

from typing import Any

from infra.runtime.auth import Caller
from infra.runtime.commands import Ask, Submitted
from infra.runtime.problems import problem
from infra.runtime.services import Services
from sinks.postgres import reads
from streams.text import shorten
from streams.topics import CONFIG_COMMANDS


async def submit(services: Services, caller: Caller, operation: str, ask: Ask, body: Any) -> Submitted:
    """Carry out a command. The outcome's aggregate is the object that it made or changed."""
    tenant_id = caller.tenant_id
    return await services.commands.submit(
        caller, operation, ask, topic=CONFIG_COMMANDS, aggregate_id=tenant_id, key=tenant_id, body=body
    )


def object_id(noun: str, text: str) -> str:
    """Return the id that a path names. Problem 404 where it is no id: there is no such object.

    It is not looked up, so that a deletion may be repeated under its Idempotency-Key.
    """
    found = reads.uuid_of(text)
    if found is None:
        raise problem(404, f"{noun}.not_found", f"{noun.replace('_', ' ')} {shorten(text, 80)} does not exist")
    return str(found)
