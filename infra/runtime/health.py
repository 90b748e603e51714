"""Whether a role lives and is ready, and its metrics: a tiny HTTP server on a thread of its own, beside any event loop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeAlias

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

Ping: TypeAlias = Callable[[], str | None]
"""Asks one thing that a role needs. Returns None when it is well, else the cause; an exception is a cause too.

It is called from another thread, at any time, and must answer within a second.
"""

READY: Final = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """checks: by name, None when well, else the cause."""

    role: str
    checks: dict[str, str | None] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return not any(self.checks.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "ready": self.ready,
            "checks": {
                name: {"ready": cause is None, **({"cause": cause} if cause is not None else {})}
                for name, cause in self.checks.items()
            },
        }


class Health:
    """What one role registers. Registering may go on while it is served."""

    def __init__(self, role: str, *, registry: CollectorRegistry = REGISTRY) -> None:
        self.role = role
        self._pings: dict[str, Ping] = {}
        self._registry = registry
        self._began = time.monotonic()

    def register(self, name: str, ping: Ping) -> None:
        """Add a check; one of the same name is replaced."""
        self._pings = {**self._pings, name: ping}

    def report(self) -> Report:
        """Ask every check now. A role with no check is ready."""
        return Report(role=self.role, checks={name: _ask(ping) for name, ping in self._pings.items()})

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Return status, content type and body of GET `path`: /healthz, /readyz or /metrics."""
        match path.partition("?")[0]:
            case "/healthz":
                alive = {"role": self.role, "pid": os.getpid(), "uptime_seconds": round(time.monotonic() - self._began)}
                return HTTPStatus.OK, "application/json", orjson.dumps(alive)
            case "/readyz":
                report = self.report()
                status = HTTPStatus.OK if report.ready else HTTPStatus.SERVICE_UNAVAILABLE
                return status, "application/json", orjson.dumps(report.to_json())
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            case _:
                return HTTPStatus.NOT_FOUND, "application/json", b'{"paths":["/healthz","/readyz","/metrics"]}'

    @contextmanager
    def serving(self, port: int, host: str = "127.0.0.1") -> Iterator[int]:
        """Serve while inside. Gives the port, which port 0 leaves to the system."""
        server = _Server((host, port), _Handler)
        server.health = self
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _ask(ping: Ping) -> str | None:
    try:
        return ping()
    except Exception as error:  # noqa: BLE001 - whatever it raises is the cause
        return str(error) or type(error).__name__


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    health: Health


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        status, kind, body = self.server.health.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        """Probes come every second: not worth a line."""
