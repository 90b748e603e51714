"""The API's live stream, over as many connections as it takes: each goes on where the last one ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from httpx_sse import EventSource, ServerSentEvent, connect_sse

from infra.cli.case.answer import not_this_api, problem_of
from infra.cli.case.client import Client, away
from infra.cli.case.problem import Exit, Problem

PATH: Final = "/api/v2/cases/stream"
READY: Final = "ready"
ACTIVITY: Final = "activity"
RESYNC: Final = "resync"
# The API says something at least every 10 s; three times that is a connection that is dead without saying so.
_SILENCE_SECONDS: Final = 30.0
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 10.0


@dataclass(slots=True, kw_only=True)
class Stream:
    """Connects, and connects again whenever the connection ends. Before it was connected once, it raises instead.

    last_id: where to go on; None begins with what happens from now on. note: hears of losses. ready: called once, when
    nothing that happens from then on can be missed.
    """

    client: Client
    note: Callable[[str], None]
    ready: Callable[[], None] = lambda: None
    last_id: str | None = None
    _first_wait: float = field(default=_FIRST_WAIT, init=False)
    _wait: float = field(default=_FIRST_WAIT, init=False)
    _connected: bool = field(default=False, init=False)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give what happens, entry by entry, for ever. Raises Problem where going on is of no use."""
        lost = False
        while True:
            cause = "the API ended it"
            try:
                for message in self._one_connection():
                    self._wait = self._first_wait
                    if not message.data:
                        continue
                    if message.event == RESYNC:
                        # The API cannot go on from here; what is to come begins anew.
                        self.last_id = None
                        self.note("Some changes were missed: case-cli cases list shows how things are now.")
                    elif lost:
                        self.note("Connected again; nothing was missed.")
                    lost = False
                    if message.event == READY:
                        ready, self.ready = self.ready, lambda: None
                        ready()
                    elif message.event == ACTIVITY:
                        yield _document(message)
            except httpx.TransportError as error:
                if not self._connected:
                    raise away(f"nothing answers at {self.client.target.url}") from None
                cause = str(error) or type(error).__name__
            except Problem as problem:
                if not self._connected or problem.exit_code is not Exit.UNAVAILABLE:
                    raise
                cause = problem.message
            if not lost:
                lost = True
                self.note(f"Connection lost ({cause}); connecting again. Ctrl-C ends.")
            time.sleep(self._wait)
            self._wait = min(self._wait * 2, _LONGEST_WAIT)

    def _one_connection(self) -> Iterator[ServerSentEvent]:
        headers = {} if self.last_id is None else {"Last-Event-ID": self.last_id}
        timeout = httpx.Timeout(10.0, read=_SILENCE_SECONDS)
        with connect_sse(self.client.http, "GET", PATH, headers=headers, timeout=timeout) as source:
            self._check(source)
            self._connected = True
            for message in source.iter_sse():
                if message.id:
                    self.last_id = message.id
                if message.retry is not None:
                    self._first_wait = message.retry / 1000
                yield message

    def _check(self, source: EventSource) -> None:
        response = source.response
        if not response.is_success:
            response.read()
            raise problem_of(response, self.client.target)
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            raise not_this_api(self.client.target)


def _document(message: ServerSentEvent) -> dict[str, Any]:
    document = json.loads(message.data)
    if not isinstance(document, dict):
        raise TypeError(f"a stream's message is no object: {message.data[:80]}")
    return document
