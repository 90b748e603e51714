"""From a handler to an endpoint: who calls is settled before anything of the request is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.runtime.auth import Caller
from infra.runtime.services import Services

Handler: TypeAlias = Callable[[Services, Caller, Request], Awaitable[Response]]


def route(services: Services, method: str, path: str, handler: Handler) -> Route:
    """Return the route. Its endpoint has the handler's name, by which metrics count."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        caller = await services.gate.caller(request.headers)
        return await handler(services, caller, request)

    return Route(path, endpoint, methods=[method])
