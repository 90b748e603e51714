"""Sends requests over HTTP at a fixed rate, in a process of its own that costs next to nothing.

Run as a script: FILE. The file holds what to send, as JSON: `port`, `path`, `headers`, the `body` in which `{n}` is the number of
the request, the `status` of success, `count`, `rate` a second and `connections`. The load is open-loop: request n is due
at its time whether or not earlier ones were answered, waits for a free connection, and its latency counts from when it was
due. Rate 0: as fast as the connections are answered. The answer replaces it: `due` and `accepted`, by number, in seconds
of the machine's monotonic clock, how many were `refused`, and the `cpu` seconds that it took itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

_LENGTH = b"content-length:"


@dataclass(slots=True)
class Load:
    """What is sent, and what came of it. `requests` are made before the clock starts."""

    requests: list[bytes]
    rate: float
    success: bytes
    due: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    waiting: deque[int] = field(default_factory=deque)
    idle: deque[Connection] = field(default_factory=deque)
    refused: int = 0
    answered: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, port: int, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            self.idle.append(connection)
        count = len(self.requests)
        began = time.monotonic() + 0.05
        self.due = [began + n / self.rate if self.rate else began for n in range(count)]
        self.accepted = [0.0] * count
        sent = 0
        while sent < count:
            now = time.monotonic()
            while sent < count and self.due[sent] <= now:
                self.waiting.append(sent)
                sent += 1
            self.feed()
            if sent < count:
                await asyncio.sleep(max(0.0005, self.due[sent] - time.monotonic()))
        await self.done.wait()

    def feed(self) -> None:
        while self.waiting and self.idle:
            n = self.waiting.popleft()
            if not self.rate:
                self.due[n] = time.monotonic()
            self.idle.popleft().send(n, self.requests[n])

    def answer(self, n: int, *, accepted: bool) -> None:
        self.accepted[n] = time.monotonic()
        self.refused += not accepted
        self.answered += 1
        if self.answered == len(self.requests):
            self.done.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way. Knows of HTTP just what our own server says."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._held = b""
        self._n = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._load.done.is_set():
            raise SystemExit(f"the server closed a connection: {error}")

    def send(self, n: int, request: bytes) -> None:
        assert self._transport is not None
        self._n = n
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._held.lower().find(_LENGTH)
        length = int(self._held[at + len(_LENGTH) : self._held.index(b"\r\n", at)])
        if len(self._held) < end + 4 + length:
            return
        accepted = self._held.startswith(self._load.success)
        self._held = b""
        self._load.idle.append(self)
        self._load.answer(self._n, accepted=accepted)
        self._load.feed()


def main(file: Path) -> None:
    asked: dict[str, Any] = json.loads(file.read_text())
    load = Load([_request(asked, n) for n in range(asked["count"])], asked["rate"], b"HTTP/1.1 %d" % asked["status"])
    cpu = time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(load.run(asked["port"], asked["connections"]))
    cpu = time.process_time() - cpu
    document = {"due": load.due, "accepted": load.accepted, "refused": load.refused, "cpu": cpu}
    file.write_text(json.dumps(document))


def _request(asked: dict[str, Any], n: int) -> bytes:
    body: bytes = asked["body"].replace("{n}", f"{n:07d}").encode()
    lines = [f"POST {asked['path']} HTTP/1.1", "host: bench", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in asked["headers"].items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


if __name__ == "__main__":
    main(Path(sys.argv[1]))
