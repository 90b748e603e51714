"""What the HTTP receivers share: the routing key of a request, bodies, and refusals in each API's own form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, Final, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Route
from infra.runtime.errors import Transient
from infra.runtime.http import Json
from infra.runtime.logging import logger
from infra.runtime.problems import Problem, problem
from sources import metrics
from sources.base import Command, Inlet
from sources.signal import Invalid

SIGNAL_ID: Final = "X-Signal-Id"
_HEADER_IDS: Final = 20
"""So many ids an answer's header holds; of a larger group they stand in the body alone."""
_log = logger("sources")

S = TypeVar("S")
Endpoint: TypeAlias = Callable[[S, Request], Awaitable[Response]]
Form: TypeAlias = Callable[[Problem], Response]
"""Renders a refusal as an API's clients know it."""


def plain_form(refused: Problem) -> Response:
    """Render a refusal as this platform's own API does."""
    return Json(refused.to_json(), refused.status, headers=refused.headers)


def answers_in(form: Form, *, source: str, invalid: int = 400) -> Callable[[Endpoint[S]], Endpoint[S]]:
    """Make an endpoint refuse in `form`: Invalid with that status, what is away with 503, which may be sent again."""

    def decorate(endpoint: Endpoint[S]) -> Endpoint[S]:
        @wraps(endpoint)
        async def answer(self: S, request: Request) -> Response:
            try:
                return await endpoint(self, request)
            except Invalid as wrong:
                refused = Problem(invalid, *wrong.faults)
            except Problem as wrong:
                refused = wrong
            except Transient as away:
                _log.warning("away", source=source, cause=str(away))
                refused = problem(
                    503,
                    "service.unavailable",
                    f"{away}; send it again",
                    headers={"Retry-After": "1"},
                )
            reason = refused.faults[0].code if refused.faults else f"http.{refused.status}"
            metrics.REFUSED.labels(source, reason).inc()
            return form(refused)

        return answer

    return decorate


def bearer(request: Request, scheme: str = "Bearer") -> str:
    """Return the key of `Authorization: SCHEME KEY`, empty where there is none."""
    word, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if word.lower() == scheme.lower() else ""


async def routed(inlet: Inlet, request: Request, *headers: str) -> Route:
    """Return the route of a request's key: the bearer's, one of `headers`, or the last segment of the path.

    Problem 401 where it names none, 403 where it is not a live key.
    """
    given = (bearer(request), *(request.headers.get(name, "").strip() for name in headers))
    key = next((k for k in given if k), "") or request.path_params.get("routing_key", "")
    if not key:
        raise problem(
            401,
            "auth.key_missing",
            "the request needs a routing key: `Authorization: Bearer KEY`, or the last segment of the path",
            headers={"WWW-Authenticate": "Bearer"},
        )
    route = await inlet.route(key)
    if route is None:
        raise problem(403, "auth.key_unknown", "the routing key is not valid")
    return route


def taken(commands: Sequence[Command], status: int = 202) -> Response:
    """Answer that signals were taken, with the ids under which their receipts can be asked for."""
    document: dict[str, Any] = {
        "status": "accepted",
        "signals": [{"signal_id": c.signal_id, "action": c.action, "dedup_key": c.dedup_key} for c in commands],
    }
    return Json(document, status, headers=signal_ids(commands))


def signal_ids(commands: Sequence[Command]) -> dict[str, str]:
    """Return the header that names the signals of a request, where they are few enough for one."""
    return {SIGNAL_ID: ", ".join(c.signal_id for c in commands)} if 0 < len(commands) <= _HEADER_IDS else {}
