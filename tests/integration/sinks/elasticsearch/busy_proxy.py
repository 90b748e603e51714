"""An HTTP proxy in front of the real Elasticsearch that has too much to do, or loses answers, when told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson

_HOP = {"content-length", "transfer-encoding", "connection", "host", "content-encoding", "accept-encoding"}


class BusyProxy:
    """What is to go wrong with the next requests, and what came.

    refuse_items: how often each document is answered with 429 and not handed on, by id. refuse: statuses with which
    the next bulks are answered as a whole. lose: how many bulks are applied and never answered. refuse_refresh: while
    set, refreshes are answered with 503.
    """

    def __init__(self, upstream: str) -> None:
        self.refuse_items: dict[str, int] = {}
        self.refuse: list[int] = []
        self.lose = 0
        self.refuse_refresh = False
        self.bulks: list[list[str]] = []
        """The ids of every bulk that came, in order."""
        self.url = ""
        self._upstream = httpx.Client(base_url=upstream, trust_env=False, timeout=30)
        self._turn = threading.Lock()

    @contextmanager
    def serving(self) -> Iterator[BusyProxy]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            self._upstream.close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | None:
        """Return the answer; None: there will be none."""
        if "/_bulk" in path:
            with self._turn:
                return self._bulk(method, path, headers, body)
        if self.refuse_refresh and "/_refresh" in path:
            return _refusal(503, headers)
        return self._upstream.request(method, path, headers=headers, content=body)

    def _bulk(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | None:
        lines = body.splitlines()
        ids = [orjson.loads(action)["index"]["_id"] for action in lines[::2]]
        self.bulks.append(ids)
        if self.refuse:
            return _refusal(self.refuse.pop(0), headers)
        refused = {name for name in ids if self.refuse_items.get(name, 0) > 0}
        for name in refused:
            self.refuse_items[name] -= 1
        kept = [b"%b\n%b\n" % pair for name, pair in zip(ids, _pairs(lines), strict=True) if name not in refused]
        answers: Sequence[Any] = []
        if kept:
            response = self._upstream.request(method, path, headers=headers, content=b"".join(kept))
            if response.status_code >= 400:
                return response
            answers = response.json()["items"]
        if self.lose:
            self.lose -= 1
            return None
        taken = iter(answers)
        error = {"type": "es_rejected_execution_exception", "reason": "the queue is full"}
        items = [{"index": {"status": 429, "error": error}} if name in refused else next(taken) for name in ids]
        return httpx.Response(200, headers=_answer_headers(headers), content=orjson.dumps({"items": items}))


def _pairs(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(lines[::2], lines[1::2], strict=True))


def _refusal(status: int, headers: dict[str, str]) -> httpx.Response:
    error = {"error": {"type": "es_rejected_execution_exception", "reason": "too much to do"}, "status": status}
    return httpx.Response(status, headers=_answer_headers(headers), content=orjson.dumps(error))


def _answer_headers(asked: dict[str, str]) -> dict[str, str]:
    return {"X-elastic-product": "Elasticsearch", "content-type": asked.get("accept", "application/json")}


def _handler(proxy: BusyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _HOP}
            answer = proxy.answer(self.command, self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names that the server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
            """Nobody reads it."""

    return Handler
