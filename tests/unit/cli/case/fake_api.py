"""An API that answers what a test says and remembers what it was asked; the stack it belongs to; a run of the command."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

NOW = datetime(2026, 3, 1, 13, 5, 9, tzinfo=UTC)
URL = "http://127.0.0.1:8080"
STACK: dict[str, Any] = {
    "http": URL,
    "grpc": "127.0.0.1:8081",
    "tenants": [
        {
            "tenant_id": "00000000-0000-4000-8000-00000000000a",
            "name": "Acme On-Call",
            "kind": "oncall",
            "api_key": "api-oncall",
            "application_key": "app-oncall",
            "routing_key": "routing-oncall",
            "project_id": "11111111-1111-4111-8111-111111111111",
        },
        {
            "tenant_id": "00000000-0000-4000-8000-00000000000b",
            "name": "Acme Cases",
            "kind": "case_management",
            "api_key": "api-cases",
            "application_key": "app-cases",
            "routing_key": "routing-cases",
            "project_id": "22222222-2222-4222-8222-222222222222",
        },
    ],
}

Answer = httpx.Response | BaseException | Callable[[httpx.Request], httpx.Response]


@dataclass
class Api:
    """Answers in the order that the test gave; a request that it expects no more is an error of the test."""

    asked: list[httpx.Request] = field(default_factory=list)
    _answers: dict[tuple[str, str], deque[Answer]] = field(default_factory=lambda: defaultdict(deque))

    def answers(self, method: str, path: str, *answers: Answer | dict[str, Any]) -> None:
        """Answer requests to this path so, the last one for ever. A dict is the document of a 200."""
        made = [httpx.Response(200, json=a) if isinstance(a, dict) else a for a in answers]
        self._answers[method, path].extend(made)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        waiting = self._answers.get((request.method, request.url.path))
        if not waiting:
            raise AssertionError(f"unexpected: {request.method} {request.url}")
        answer = waiting.popleft() if len(waiting) > 1 else waiting[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, httpx.Response):
            # A response is read once; this one may be given several times.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    @property
    def last(self) -> httpx.Request:
        return self.asked[-1]

    def body(self, index: int = -1) -> Any:
        return json.loads(self.asked[index].content)

    def lines(self) -> list[str]:
        """What was asked, one line each: `GET /path`."""
        return [f"{r.method} {r.url.path}" for r in self.asked]


@dataclass(frozen=True)
class Result:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]
