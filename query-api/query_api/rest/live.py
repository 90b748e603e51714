"""`GET /api/v2/cases/stream`: what happens to cases, as server-sent events.

    event: ready     id: CURSOR   data: {}            nothing that was missed is left
    event: activity  id: CURSOR   data: {...}         one entry of a case's activity, and the case as it is now
    event: resync                 data: {"reason"}    the last one: read everything again, then begin without a cursor

A client comes back with the last id in `Last-Event-ID` (or `?last_event_id=`) and misses nothing. Comments come in between,
so that a connection that is dead is noticed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from time import monotonic
from typing import Final, assert_never

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Caller
from infra.runtime.errors import StoreUnavailable
from infra.runtime.problems import Problem
from query_api.operations import live
from query_api.readers import Readers
from query_api.rest.parameters import Parameters
from schemas.rest.activity import live_entry
from sinks.nexus.hub import Happened, Message, Ready, Resync

RETRY_MILLISECONDS: Final = 1_000
SEND_SECONDS: Final = 30.0
"""How long a client may keep one message from being sent before its connection is given up."""


async def stream_cases(readers: Readers, caller: Caller, request: Request) -> Response:
    """Answer with the stream. It ends where the caller's keys are revoked."""
    last_event_id = request.headers.get("last-event-id") or Parameters(request).text("last_event_id") or None
    messages = live.stream(readers, caller, last_event_id, silence=live.SILENCE_SECONDS)
    # Postgres being away is known before the answer begins, and is a 503 then.
    first = await anext(messages)
    events = _events(readers, request, first, messages)
    # The stream says by itself, every few seconds, that it is there.
    return EventSourceResponse(events, ping=0, send_timeout=SEND_SECONDS)


async def _events(
    readers: Readers, request: Request, first: Message | None, messages: AsyncGenerator[Message | None, None]
) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(messages):
        yield _event(first, retry=RETRY_MILLISECONDS)
        checked = monotonic()
        async for message in messages:
            if monotonic() - checked >= live.SILENCE_SECONDS:
                checked = monotonic()
                if not await _let_in(readers, request):
                    return
            yield _event(message)


async def _let_in(readers: Readers, request: Request) -> bool:
    try:
        await readers.services.gate.caller(request.headers)
    except Problem:
        return False
    except StoreUnavailable:
        # Nothing says that the keys are not good any more.
        return True
    return True


def _event(message: Message | None, retry: int | None = None) -> ServerSentEvent:
    match message:
        case None:
            return ServerSentEvent(comment="alive")
        case Ready(cursor=cursor):
            return ServerSentEvent(event="ready", id=cursor.encode(), data="{}", retry=retry)
        case Happened(row=row, cursor=cursor):
            told = orjson.dumps(live_entry(row)).decode()
            return ServerSentEvent(event="activity", id=cursor.encode(), data=told, retry=retry)
        case Resync(why=why):
            return ServerSentEvent(event="resync", data=orjson.dumps({"reason": why.value}).decode(), retry=retry)
        case _:
            assert_never(message)
