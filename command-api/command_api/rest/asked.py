"""What a request asks: its body as a model, and what its headers say besides."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel
from starlette.requests import Request

from infra.runtime.commands import Ask
from infra.runtime.http import parse, read_json
from infra.runtime.problems import problem

M = TypeVar("M", bound=BaseModel)

_VERSION: Final = re.compile(r'"(\d{1,18})"|(\d{1,18})', re.ASCII)
_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


async def asked(request: Request, model: type[M]) -> tuple[M, Ask]:
    """Return the body and the rest. Problem 400 where the body is no JSON, is not of the model, or a header is wrong."""
    document = await read_json(request)
    return parse(model, document), ask(request, document)


def ask(request: Request, document: Any = None) -> Ask:
    """Return what the headers ask. Requests are the same when method, path and JSON content are, however written."""
    traceparent = request.headers.get("traceparent", "")
    return Ask.of(
        request.method,
        request.url.path,
        b"" if document is None else _canonical(document),
        idempotency_key=request.headers.get("idempotency-key"),
        expected_version=_expected(request.headers.get("if-match")),
        traceparent=traceparent if _TRACEPARENT.fullmatch(traceparent) else None,
    )


def _canonical(document: Any) -> bytes:
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # It reads deeper than it writes.
        raise problem(400, "request.too_deep", "the body is nested too deeply") from None


def _expected(text: str | None) -> int | None:
    """Return the version that the object must be at, as an answer's ETag says it; None for any."""
    if text is None or text.strip() == "*":
        return None
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        detail = 'must be a version in quotes, as answers have it in ETag, e.g. "7"'
        raise problem(400, "request.header_invalid", detail, field="If-Match")
    return int(found[1] or found[2])
