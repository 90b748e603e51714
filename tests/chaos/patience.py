"""How a real client asks: an answer that did not come, or a 5xx, is asked for again, the same way, for a while."""

from __future__ import annotations

import time
from typing import Any, Final

import httpx

from tests.chaos.accepted import Accepted

GIVE_UP_SECONDS: Final = 240.0
PAUSE_SECONDS: Final = 0.5


def ask(
    client: httpx.Client, path: str, body: Any, accepted: Accepted, *, headers: dict[str, str] | None = None
) -> tuple[httpx.Response, int]:
    """Return the answer, and how often it took. AssertionError where none came for `GIVE_UP_SECONDS`."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    asked = 0
    while True:
        asked += 1
        said = "no answer"
        try:
            answer = client.post(path, json=body, headers=headers)
        except httpx.TransportError as error:
            said = repr(error)
        else:
            if answer.status_code < 500:
                return answer, asked
            said = answer.text
        assert not accepted.abandoned.is_set(), "the run has ended"
        assert time.monotonic() < deadline, f"{path} was not answered for {GIVE_UP_SECONDS:.0f} s: {said}"
        accepted.sent_again()
        time.sleep(PAUSE_SECONDS)
