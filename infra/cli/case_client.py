"""HTTP against the API: keys, repetition under one Idempotency-Key, and errors that say what to do next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from infra.cli.case_problem import Exit, Problem
from infra.cli.case_target import Target

REQUEST_SECONDS: Final = 15.0
# How long a write whose outcome is pending is asked after: each try waits up to 5 s at the server.
PATIENCE_SECONDS: Final = 30.0


class Client:
    """Calls of one tenant. `transport` replaces the network in tests."""

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self.target = target
        self.position: str | None = None
        headers = {"Accept": "application/json", "User-Agent": "case-cli"}
        if target.api_key:
            headers["DD-API-KEY"] = target.api_key
        if target.application_key:
            headers["DD-APPLICATION-KEY"] = target.application_key
        self.http = httpx.Client(
            base_url=target.url, headers=headers, timeout=REQUEST_SECONDS, transport=transport, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read. A search after a write of this client waits until it sees that write."""
        headers = {"X-Position": self.position} if self.position else {}
        kept = {k: v for k, v in (params or {}).items() if v is not None}
        return self._answer(self._send("GET", path, params=kept, headers=headers))

    def write(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """Change something, exactly once: repeats under one Idempotency-Key while the outcome is pending.

        Returns the answer's JSON, empty where it has none. Raises Problem.
        """
        key = key or str(uuid4())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            response = self._send(method, path, json=body, headers={"Idempotency-Key": key}, key=key)
            if response.status_code != httpx.codes.GATEWAY_TIMEOUT or time.monotonic() > deadline:
                break
        if response.status_code == httpx.codes.GATEWAY_TIMEOUT:
            raise Problem(
                "the change was taken, but its outcome is not known yet",
                hint=f"Ask again with --idempotency-key {key} (nothing is done twice), or look at `casestream status`.",
                exit_code=Exit.PENDING,
                code="command.pending",
            )
        self.position = response.headers.get("X-Position", self.position)
        return self._answer(response)

    def _send(self, method: str, path: str, *, key: str | None = None, **kwargs: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **kwargs)
        except httpx.ConnectError:
            raise self._away(f"nothing answers at {self.target.url}") from None
        except httpx.TimeoutException:
            what = f"{self.target.url} did not answer within {REQUEST_SECONDS:.0f} s"
            if key is None:
                raise self._away(what) from None
            raise Problem(
                f"{what}; whether the change was taken is not known",
                hint=f"Repeat the command with --idempotency-key {key}: nothing is done twice.",
                exit_code=Exit.PENDING,
            ) from None
        except httpx.InvalidURL as error:
            raise Problem(f"{self.target.url} is not a URL: {error}", exit_code=Exit.UNAVAILABLE) from None
        except httpx.TransportError as error:
            raise self._away(f"the connection to {self.target.url} failed: {error}") from None

    def _away(self, message: str) -> Problem:
        hint = "Is the stack running? `casestream status` tells; `casestream up` starts it."
        return Problem(message, hint=hint, exit_code=Exit.UNAVAILABLE)

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        if response.is_error:
            raise problem_of(response, self.target)
        if not response.content:
            return {}
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Problem(
                f"{self.target.url} answered with something that is not this API",
                hint="Check the URL (--url, CASESTREAM_URL, or `url` in stack.json).",
                exit_code=Exit.UNAVAILABLE,
            )
        return answer


def problem_of(response: httpx.Response, target: Target) -> Problem:
    """Return what an error answer comes to for the user."""
    code, said = _said(response)
    who = f" of {target.tenant}" if target.tenant else ""
    match response.status_code:
        case 401 | 403:
            return Problem(
                said or f"the keys{who} were refused",
                hint="The stack may have been made anew: run `casestream up` again. Elsewhere check --api-key and "
                "--application-key (CASESTREAM_API_KEY, CASESTREAM_APPLICATION_KEY).",
                exit_code=Exit.NOT_ALLOWED,
                code=code,
            )
        case 404:
            return Problem(
                said or "not found",
                hint=f"Looked in {target.tenant}. To look in another tenant: --tenant {' or '.join(target.others)}."
                if target.others
                else "",
                exit_code=Exit.NOT_FOUND,
                code=code,
            )
        case 429:
            after = response.headers.get("Retry-After")
            wait = f"Wait {after} s and try again." if after else "Wait a little and try again."
            return Problem(said or "too many requests", hint=wait, exit_code=Exit.UNAVAILABLE, code=code)
        case status if status >= 500:  # noqa: PLR2004 - the class of the server's own errors
            return Problem(
                said or f"the API failed ({status})",
                hint="`casestream status` shows which part is away. Reads and writes may simply be repeated.",
                exit_code=Exit.UNAVAILABLE,
                code=code,
            )
        case status:
            return Problem(said or f"the API refused the request ({status})", code=code)


def _said(response: httpx.Response) -> tuple[str, str]:
    """Return the stable code and the sentence of an error answer, empty where it has none."""
    try:
        body = response.json()
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    errors = body.get("errors") or []
    sentences: list[str] = []
    code = ""
    for error in errors if isinstance(errors, list) else [errors]:
        if not isinstance(error, dict):
            sentences.append(str(error))
            continue
        code = code or str(error.get("code") or "")
        text = str(error.get("detail") or error.get("title") or "")
        pointer = (error.get("source") or {}).get("pointer") if isinstance(error.get("source"), dict) else None
        sentences.append(f"{text} ({pointer})" if pointer else text)
    if not sentences and body.get("message"):
        sentences.append(str(body["message"]))
    return code, "; ".join(s for s in sentences if s)
