"""From a request to a registry's answer: its media type and its form of errors, which its clients parse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.runtime.http import Json
from infra.runtime.problems import Problem

MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"

Handler: TypeAlias = Callable[[Request], Awaitable[Any]]
"""Returns what the answer's JSON says."""


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 - it is read aloud
    """code: the interface's own: an HTTP status, mostly with two more digits."""

    code: int
    message: str

    @property
    def status(self) -> int:
        return self.code if self.code < 1_000 else self.code // 100


def no_subject(subject: str) -> Refusal:
    return Refusal(40401, f"Subject '{subject[:200]}' not found.")


def no_version(version: str) -> Refusal:
    return Refusal(40402, f"Version {version[:40]} not found.")


def no_schema(about: str = "Schema not found") -> Refusal:
    return Refusal(40403, about)


def read_only() -> Refusal:
    """Refuse a write: schemas come with a release, and with no request."""
    return Refusal(42205, "this registry is read-only: schemas are released with casestream")


def endpoint(method: str, path: str, handler: Handler) -> Route:
    """Return the route of a handler, which anybody may ask: schemas are the program's and hold nothing of a tenant."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return Json(await handler(request), media_type=MEDIA_TYPE)
        except Refusal as refusal:
            return _refused(refusal.status, refusal.code, refusal.message)
        except Problem as refused:
            return _refused(refused.status, refused.status, str(refused))

    return Route(path, answer, methods=[method])


def _refused(status: int, code: int, message: str) -> Response:
    return Json({"error_code": code, "message": message or HTTPStatus(status).phrase}, status, media_type=MEDIA_TYPE)
