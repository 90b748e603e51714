"""From a request to an operation's answer: who calls is decided first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.runtime.auth import Caller
from infra.runtime.logging import context
from query_api.readers import Readers

Handler: TypeAlias = Callable[[Readers, Caller, Request], Awaitable[Response]]


def endpoint(path: str, readers: Readers, handler: Handler, *, method: str = "GET") -> Route:
    """Return the route of a handler. Metrics call it by the handler's name."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        caller = await readers.services.gate.caller(request.headers)
        with context(tenant_id=caller.tenant_id):
            return await handler(readers, caller, request)

    return Route(path, answer, methods=[method])
