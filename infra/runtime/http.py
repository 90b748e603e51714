"""What every HTTP endpoint shares: bodies within limits, problems in the API's form, ids in logs, metrics."""

from __future__ import annotations

import time
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import orjson
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from infra.runtime.errors import Transient
from infra.runtime.logging import context, logger
from infra.runtime.problems import Fault, Problem, problem

BODY_LIMIT: Final = 1_000_000
"""Bytes of a request body, where an endpoint names no smaller limit."""

REQUESTS: Final = Counter("http_requests", "Requests answered.", ["endpoint", "method", "status"])
SECONDS: Final = Histogram(
    "http_request_seconds",
    "From the request's first byte to its answer's first.",
    ["endpoint", "method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
_log = logger("http")

M = TypeVar("M", bound=BaseModel)


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """Return the body. Problem 413 as soon as it is known to be over `limit` bytes; the rest is not read."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            pieces.append(piece)
    except ClientDisconnect:
        raise problem(400, "request.incomplete", "the connection ended before the body did") from None
    return b"".join(pieces)


async def read_json(request: Request, limit: int = BODY_LIMIT) -> Any:
    """Return the body as JSON. Problem 400 where it is none, 413 where it is too large."""
    return loads(await read_body(request, limit))


def loads(body: bytes) -> Any:
    """Return a body's JSON. Problem 400 where it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = "the body is empty; it must be JSON" if not body.strip() else f"the body is not JSON: {error}"
        raise problem(400, "request.not_json", detail) from None


def parse(model: type[M], document: Any) -> M:
    """Return the document as a model. Problem with every fault: 422 where all are about rules and limits, else 400.

    A validator says which rule it is by `PydanticCustomError` with a code that has a dot ("case.title_too_long").
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = [_fault(e) for e in error.errors(include_url=False, include_input=False, include_context=True)]
        ruled = all("." in e["type"] for e in error.errors(include_url=False, include_input=False))
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY if ruled else HTTPStatus.BAD_REQUEST, *faults) from None


_CODES: Final = {"missing": "request.field_missing", "extra_forbidden": "request.field_unknown"}
_TEXTS: Final = {
    "missing": "this field is needed",
    "extra_forbidden": "there is no such field here",
    # The library's own words name the classes of ours.
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}


def _fault(error: Any) -> Fault:
    kind: str = error["type"]
    code = kind if "." in kind else _CODES.get(kind, "request.field_invalid")
    where = ".".join(str(part) for part in error["loc"]) or "body"
    return Fault(code=code, detail=_TEXTS.get(kind, error["msg"]), field=where)


def _too_large(limit: int) -> Problem:
    return problem(
        413, "request.too_large", f"the body is over the limit of {limit} bytes", headers={"Connection": "close"}
    )


async def on_problem(_request: Request, error: Exception) -> Response:
    """Answer a refused request."""
    assert isinstance(error, Problem)
    return Json(error.to_json(), error.status, headers=error.headers)


async def on_transient(_request: Request, error: Exception) -> Response:
    """Answer a request that needs what is away: it may be repeated."""
    _log.warning("away", cause=str(error))
    away = problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "service.unavailable",
        f"{error}; nothing was done, try again",
        headers={"Retry-After": "1"},
    )
    return await on_problem(_request, away)


async def on_http(request: Request, error: Exception) -> Response:
    """Answer what the router refused: no such path, no such method."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = f"there is nothing at {request.url.path}"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.url.path} does not take {request.method}"
    refused = problem(error.status_code, f"http.{error.status_code}", detail, headers=error.headers)
    return await on_problem(request, refused)


async def on_bug(request: Request, error: Exception) -> Response:
    """Answer what should not happen, without its insides."""
    _log.error("a request failed", path=request.url.path, exc_info=error)
    return await on_problem(request, problem(500, "internal", "something failed here; it was logged"))


EXCEPTION_HANDLERS: Final[dict[Any, ExceptionHandler]] = {
    Problem: on_problem,
    Transient: on_transient,
    HTTPException: on_http,
    Exception: on_bug,
}


class RequestContext:
    """Gives every request an id, puts it on its log lines and its answer, and counts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
                endpoint = getattr(scope.get("endpoint"), "__name__", "none")
                requests, seconds = _measures(endpoint, method, message["status"])
                requests.inc()
                seconds.observe(time.perf_counter() - began)
            await send(message)

        with context(correlation_id=request_id):
            await self._app(scope, receive, answer)


@cache
def _measures(endpoint: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Return what counts these answers. There are as many as endpoints, methods and statuses: looked up once each."""
    return REQUESTS.labels(endpoint, method, str(status)), SECONDS.labels(endpoint, method)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _request_id(scope: Scope) -> str:
    """Return the caller's own id where it is a UUID, else a new one: no foreign text gets into logs."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            try:
                return str(UUID(value.decode("latin-1")))
            except ValueError:
                break
    return str(uuid4())
