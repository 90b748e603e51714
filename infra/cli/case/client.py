"""HTTP against the API: keys, repetition under one Idempotency-Key, and errors that say what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from infra.cli.case.answer import document_of
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.target import Target

REQUEST_SECONDS: Final = 15.0
# How long a write whose outcome is pending is asked after: each try waits up to 5 s at the server.
PATIENCE_SECONDS: Final = 30.0


class Client:
    """Calls of one tenant. `transport` replaces the network in tests; `note` hears what takes long."""

    def __init__(
        self,
        target: Target,
        transport: httpx.BaseTransport | None = None,
        *,
        note: Callable[[str], None] = lambda _text: None,
        timeout: float = REQUEST_SECONDS,
    ) -> None:
        self.target = target
        self.position: str | None = None
        self._note = note
        headers = {"Accept": "application/json", "User-Agent": "case-cli"}
        headers |= {"DD-API-KEY": target.api_key} if target.api_key else {}
        headers |= {"DD-APPLICATION-KEY": target.application_key} if target.application_key else {}
        self._timeout = timeout
        try:
            url = httpx.URL(target.url)
            if url.scheme not in {"http", "https"} or not url.host:
                raise httpx.InvalidURL("it must begin with http:// or https:// and name a host")
        except httpx.InvalidURL as error:
            raise usage(
                f"{target.url!r} is not an API's URL: {error}", "Write it like http://127.0.0.1:8080."
            ) from None
        self.http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=timeout,
            transport=transport,
            # A proxy that the environment names knows nothing of this machine's own addresses.
            trust_env=url.host not in {"127.0.0.1", "::1", "localhost"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read. A search after a write of this client waits until it sees that write. Raises Problem."""
        headers = {"X-Position": self.position} if self.position else {}
        kept = {k: v for k, v in (params or {}).items() if v is not None}
        return document_of(self._send("GET", path, params=kept, headers=headers), self.target)

    def find(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Read what may not be there (yet): None where the API says so. Raises Problem."""
        try:
            return self.get(path, params)
        except Problem as problem:
            if problem.exit_code is Exit.NOT_FOUND:
                return None
            raise

    def send(self, path: str, body: Any) -> tuple[dict[str, Any], str]:
        """Send a signal, which carries its own identity and so needs no Idempotency-Key. Raises Problem.

        Returns the answer's JSON, and the id under which the signal's receipt can be asked for.
        """
        response = self._send("POST", path, json=body)
        return document_of(response, self.target), response.headers.get("X-Signal-Id", "")

    def write(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, version: int | None = None
    ) -> dict[str, Any]:
        """Change something, exactly once: repeats under one Idempotency-Key while the outcome is pending.

        version: what the thing must be at, None for any. Returns the answer's JSON, empty where it has none. Raises Problem.
        """
        key = key or str(uuid4())
        deadline = time.monotonic() + PATIENCE_SECONDS
        content = {} if body is None else {"json": body}
        headers = {"Idempotency-Key": key} | ({} if version is None else {"If-Match": f'"{version}"'})
        told = False
        while True:
            response = self._send(method, path, headers=headers, key=key, **content)
            if response.status_code != httpx.codes.GATEWAY_TIMEOUT:
                break
            if time.monotonic() > deadline:
                raise Problem(
                    "the change was taken, but its outcome is not known yet",
                    hint=f"Ask again with --idempotency-key {key} (nothing is done twice); `casestream status` "
                    "shows which part is behind.",
                    exit_code=Exit.PENDING,
                    code="command.pending",
                )
            if not told:
                self._note(f"Taken; waiting for its outcome. After Ctrl-C, --idempotency-key {key} asks again.")
                told = True
        self.position = response.headers.get("X-Position", self.position)
        return document_of(response, self.target)

    def _send(self, method: str, path: str, *, key: str | None = None, **content: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise away(f"nothing answers at {self.target.url}") from None
        except httpx.TransportError as error:
            late = isinstance(error, httpx.TimeoutException)
            what = f"did not answer within {self._timeout:g} s" if late else f"broke off the connection ({error})"
            if key is None:
                raise away(f"{self.target.url} {what}") from None
            raise Problem(
                f"{self.target.url} {what}; whether the change was taken is not known",
                hint=f"Repeat the command with --idempotency-key {key}: nothing is done twice.",
                exit_code=Exit.PENDING,
            ) from None


def away(message: str) -> Problem:
    """Return the problem of an API that cannot be reached."""
    hint = "Is the stack running? `casestream status` tells; `casestream up` starts it."
    return Problem(message, hint=hint, exit_code=Exit.UNAVAILABLE)
