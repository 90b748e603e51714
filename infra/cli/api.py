"""Role `api`: sources, commands and queries over REST on one port, the same commands and queries over gRPC on another."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, nullcontext
from importlib.metadata import version
from typing import Any, Final

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import command_api.routes
import command_api.rpc.servicers
import query_api.routes
import query_api.rpc.servicers
import sources.http
from infra.runtime import grpc
from infra.runtime.health import Health
from infra.runtime.http import EXCEPTION_HANDLERS, Json, RequestContext
from infra.runtime.logging import logger
from infra.runtime.services import Services
from infra.runtime.settings import Settings
from query_api.readers import Readers

STOP_SECONDS: Final = 10
GRACE_SECONDS: Final = 3.0
_log = logger("api")


def app(services: Services, readers: Readers, health: Health) -> Starlette:
    """Return the HTTP application: everything on one port, as in development."""
    routes: list[BaseRoute] = [
        # They are tried one after the other: first those that are asked for most.
        *sources.http.routes(services),
        Route("/", welcome),
        *_health_routes(health),
        *command_api.routes.routes(services),
        *query_api.routes.routes(services, readers),
    ]
    return Starlette(
        routes=routes, middleware=[Middleware(RequestContext)], exception_handlers=EXCEPTION_HANDLERS, debug=False
    )


async def welcome(_request: Request) -> Response:
    """Answer whoever looks what is here."""
    return Json(
        {
            "name": "casestream",
            "version": version("casestream"),
            "cases": "/api/v2/cases",
            "live": "/api/v2/cases/stream",
            "alerts": [
                "/v2/enqueue",
                "/v2/alerts",
                "/sources/alertmanager",
                "/sources/datadog",
                "/sources/cloudevents",
            ],
            "health": ["/healthz", "/readyz", "/metrics"],
        }
    )


def _health_routes(health: Health) -> list[BaseRoute]:
    async def answer(request: Request) -> Response:
        # The checks ask their engines, which may take a moment: not on the loop that serves everybody.
        status, kind, body = await asyncio.to_thread(health.answer, request.url.path)
        return Response(body, status, media_type=kind)

    return [Route(path, answer, name=path.strip("/")) for path in ("/healthz", "/readyz", "/metrics")]


class _Server(uvicorn.Server):
    """Leaves signals to the role, which stops gRPC too."""

    def capture_signals(self) -> Any:
        return nullcontext()


def run(settings: Settings) -> None:
    """Serve until SIGTERM; requests that run get a few seconds to end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    health = Health("api")
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(Services.open(settings))
        readers = Readers.of(services)
        _register(health, services, loop)
        calls, grpc_port = grpc.server(
            [
                lambda server: command_api.rpc.servicers.add(server, services),
                lambda server: query_api.rpc.servicers.add(server, readers),
            ],
            [*command_api.rpc.servicers.NAMES, *query_api.rpc.servicers.NAMES],
            host=settings.http_host,
            port=settings.grpc_port,
        )
        await calls.start()
        stack.push_async_callback(calls.stop, GRACE_SECONDS)
        server = _Server(
            uvicorn.Config(
                app(services, readers, health),
                host=settings.http_host,
                port=settings.http_port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=STOP_SECONDS,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        stack.enter_context(health.serving(settings.health_port, settings.health_host))
        serving = asyncio.create_task(server.serve(), name="http")
        _log.info(
            "serving", http=f"{settings.http_host}:{settings.http_port}", grpc=f"{settings.http_host}:{grpc_port}"
        )
        await asyncio.wait({serving, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
        readers.close()
        server.should_exit = True
        await serving
    if not stop.is_set():
        raise SystemExit(1)


def _register(health: Health, services: Services, loop: asyncio.AbstractEventLoop) -> None:
    """Ready means: requests can be answered. Pings run on another thread and ask on the loop."""

    def ping(ask: Any) -> Any:
        def asked() -> str | None:
            future = asyncio.run_coroutine_threadsafe(ask(), loop)
            try:
                future.result(timeout=1.0)
            except TimeoutError:
                future.cancel()
                return "does not answer in 1 s"
            return None

        return asked

    health.register("postgres", ping(services.db.ping))
    health.register("elasticsearch", ping(services.elasticsearch.info))
