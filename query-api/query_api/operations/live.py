"""The live stream of a tenant's cases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from infra.runtime.auth import Caller
from query_api.readers import Readers
from sinks.nexus.hub import Message

SILENCE_SECONDS: Final = 10.0
"""How long a stream is silent at most: then `None` comes, and whoever passes it on checks that all is still well."""


async def stream(
    readers: Readers, caller: Caller, last_event_id: str | None, *, silence: float = SILENCE_SECONDS
) -> AsyncGenerator[Message | None, None]:
    """Give what happens to the caller's cases, from a cursor on or from now; see `sinks.nexus.hub.Hub.stream`."""
    async with aclosing(readers.hub.stream(caller.tenant_id, last_event_id)) as messages:
        coming: asyncio.Task[Message] | None = None
        try:
            while True:
                if coming is None:
                    coming = asyncio.ensure_future(anext(messages))
                done, _ = await asyncio.wait({coming}, timeout=silence)
                if not done:
                    yield None
                    continue
                try:
                    message = coming.result()
                except StopAsyncIteration:
                    return
                finally:
                    coming = None
                yield message
        finally:
            if coming is not None:
                # A generator that still runs cannot be closed.
                coming.cancel()
                await asyncio.wait({coming})
