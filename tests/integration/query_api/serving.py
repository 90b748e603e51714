"""The query API on a real port, for streams: what answers requests in this process ends with each request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import uvicorn
from httpx_sse import ServerSentEvent, aconnect_sse

from query_api.readers import Readers
from tests.integration.query_api.world import Owner, app


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Return once it holds, for what tells nobody."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(readers: Readers) -> AsyncIterator[str]:
    """Give the URL of the API while it serves."""
    server = uvicorn.Server(uvicorn.Config(app(readers), port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def stream(
    url: str, owner: Owner, last_event_id: str | None = None, **params: str
) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    """Give a tenant's stream. Its messages must each come within 10 s."""
    headers = {**owner.headers, **({"Last-Event-ID": last_event_id} if last_event_id is not None else {})}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=10, trust_env=False) as client,
        aconnect_sse(client, "GET", "/api/v2/cases/stream", params=params) as source,
    ):
        assert source.response.status_code == 200, await source.response.aread()
        yield source.aiter_sse()
