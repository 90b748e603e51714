"""How soon after a fault the platform does its work again, by what its users see."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx

from tests.chaos.accepted import Accepted, Answered
from tests.chaos.people import STANDARD
from tests.chaos.victims import Victims

DEADLINE_SECONDS: Final = 180.0
PAUSE_SECONDS: Final = 0.1
NAMES: Final = ("write", "signal", "search", "ready")


class Slow(AssertionError):  # noqa: N818 - named after what happened
    """The platform did not come back by itself."""


class Recovery:
    """Asks as one tenant. Its own writes and signals are accepted ones as all others are."""

    def __init__(self, victims: Victims, accepted: Accepted) -> None:
        self._victims = victims
        self._accepted = accepted
        stack = victims.platform.stack
        self._tenant: Mapping[str, str] = stack["tenants"][0]
        self._keys = {
            "DD-API-KEY": self._tenant["api_key"],
            "DD-APPLICATION-KEY": self._tenant["application_key"],
        }
        self._http: str = stack["http"]

    def measure(self) -> dict[str, float]:
        """Return the seconds until, from now: a command's outcome is answered (write), a signal has its receipt (signal), a
        search finds the case that was just made (search), and every part says that it is ready (ready).

        Raises Slow with what is missing.
        """
        began = time.monotonic()
        asks: dict[str, Callable[[httpx.Client, float], object]] = {
            "write": self._write,
            "signal": self._signal,
            "search": self._search,
            "ready": self._ready,
        }

        def timed(name: str) -> float:
            with httpx.Client(base_url=self._http, headers=self._keys, timeout=10, trust_env=False) as client:
                asks[name](client, began + DEADLINE_SECONDS)
            return round(time.monotonic() - began, 2)

        with ThreadPoolExecutor(len(NAMES)) as pool:
            return dict(zip(NAMES, pool.map(timed, NAMES), strict=True))

    def _write(self, client: httpx.Client, deadline: float) -> str:
        title = f"Found after a fault {uuid.uuid4()}"
        body = {
            "data": {
                "type": "case",
                "attributes": {"type_id": STANDARD, "title": title},
                "relationships": {"project": {"data": {"id": self._tenant["project_id"], "type": "project"}}},
            }
        }
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = _until(lambda: client.post("/api/v2/cases", json=body, headers=key), 201, deadline, "a write")
        answered = Answered(tenant_id=self._tenant["tenant_id"], kind="open", verdict="accepted", asks=1)
        self._accepted.command(answer.headers["x-command-id"], answered)
        return title.rsplit(" ", 1)[1]

    def _signal(self, client: httpx.Client, deadline: float) -> None:
        body = {
            "routing_key": self._tenant["routing_key"],
            "event_action": "trigger",
            "dedup_key": f"after-{uuid.uuid4()}",
            "payload": {"summary": "after a fault", "source": "chaos", "severity": "info"},
        }
        sent = _until(lambda: client.post("/v2/enqueue", json=body), 202, deadline, "a signal")
        signal_id = sent.headers["x-signal-id"]
        self._accepted.signal(signal_id, self._tenant["tenant_id"])
        _until(lambda: client.get(f"/api/v2/signals/{signal_id}"), 200, deadline, "a receipt")

    def _search(self, client: httpx.Client, deadline: float) -> None:
        word = self._write(client, deadline)
        query: dict[str, Any] = {"filter": f'"{word}"'}

        def found() -> httpx.Response | None:
            answer = client.get("/api/v2/cases", params=query)
            return answer if answer.status_code == 200 and answer.json()["data"] else None

        _until(found, 200, deadline, "a search that finds a write")

    def _ready(self, _client: httpx.Client, deadline: float) -> None:
        while not self._victims.ready:
            if time.monotonic() > deadline:
                raise Slow(f"not ready {DEADLINE_SECONDS:.0f} s after the fault: {self._victims.unready()}")
            time.sleep(PAUSE_SECONDS)


def _until(act: Callable[[], httpx.Response | None], status: int, deadline: float, what: str) -> httpx.Response:
    said = "nothing"
    while True:
        try:
            answer = act()
        except httpx.TransportError as error:
            said = repr(error)
        else:
            if answer is not None and answer.status_code == status:
                return answer
            said = "nothing yet" if answer is None else f"{answer.status_code} {answer.text}"
        if time.monotonic() > deadline:
            raise Slow(f"{what} did not come within {DEADLINE_SECONDS:.0f} s after the fault: {said}")
        time.sleep(PAUSE_SECONDS)
