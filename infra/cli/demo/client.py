"""The public HTTP API as the demonstration uses it: keys, one try more where an outcome is pending, errors as sentences."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

from infra.runtime.errors import CasestreamError

REQUEST_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.5
_LATER: Final = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


class DemoFailed(CasestreamError):  # noqa: N818 - named after what happened
    """The demonstration could not be told to its end. It may be run again: it goes on where it was."""


class Client:
    """Calls of one tenant. transport: replaces the network in tests."""

    def __init__(self, http: str, tenant: Mapping[str, str], transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=http,
            headers={"DD-API-KEY": tenant["api_key"], "DD-APPLICATION-KEY": tenant["application_key"]},
            timeout=REQUEST_SECONDS,
            transport=transport,
            # A proxy that the environment names knows nothing of this machine's own addresses.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Read a document. Raises DemoFailed."""
        return self._ask("GET", path, params=params)

    def signal(self, path: str, body: Mapping[str, Any]) -> None:
        """Send a signal. Sent twice, it changes nothing more: its key and its episode are in it. Raises DemoFailed."""
        self._ask("POST", path, json=body)

    def write(self, path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Change something once, however often this is called with the same key. Raises DemoFailed."""
        return self._ask("POST", path, json=body, headers={"Idempotency-Key": key})

    def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                response = self._http.request(method, path, **content)
            except httpx.TransportError as error:
                raise DemoFailed(
                    f"{self._http.base_url} does not answer ({type(error).__name__}: {error}). `casestream status` shows "
                    "what is wrong"
                ) from error
            if response.status_code not in _LATER or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_SECONDS)
        if not response.is_success:
            raise DemoFailed(f"{method} {path} was answered {response.status_code}: {response.text[:500]}")
        document: dict[str, Any] = response.json() if response.content else {}
        return document
