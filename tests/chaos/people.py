"""People who work on cases over REST: they open, comment, assign and close, and ask again under the same key when in doubt."""

from __future__ import annotations

import random
import threading
import uuid
from typing import Any, Final

import httpx

from tests.chaos.accepted import Accepted, Answered
from tests.chaos.patience import ask

STANDARD: Final = "00000000-0000-0000-0000-000000000001"
AGAIN: Final = 0.1
"""The share of requests that are sent once more although they were answered."""


class People:
    """Those of one tenant. They share the cases that they opened. May be used from any thread."""

    def __init__(self, client: httpx.Client, tenant: dict[str, str], accepted: Accepted) -> None:
        self._client = client
        self._tenant = tenant
        self._keys = {"DD-API-KEY": tenant["api_key"], "DD-APPLICATION-KEY": tenant["application_key"]}
        self._accepted = accepted
        self._cases: list[str] = []
        self._lock = threading.Lock()

    def act(self, chance: random.Random) -> None:
        """Do one thing that is random, as `chance` has it."""
        with self._lock:
            case = chance.choice(self._cases) if self._cases and chance.random() > 0.12 else None
        if case is None:
            self._open(chance)
            return
        kind = chance.choices(("comment", "status", "assign", "priority", "title"), (5, 3, 2, 2, 1))[0]
        comment = f"looked at it {uuid.uuid4()}" if kind == "comment" else ""
        self._ask(f"/api/v2/cases/{case}/{kind}", kind, self._attributes(kind, comment, chance), chance, comment)

    def _open(self, chance: random.Random) -> None:
        body = {
            "data": {
                "type": "case",
                "attributes": {"type_id": STANDARD, "title": f"Found by hand {uuid.uuid4()}"},
                "relationships": {"project": {"data": {"id": self._tenant["project_id"], "type": "project"}}},
            }
        }
        answer = self._ask("/api/v2/cases", "open", body, chance)
        assert answer.status_code == 201, answer.text
        with self._lock:
            self._cases.append(answer.json()["data"]["id"])

    def _attributes(self, kind: str, comment: str, chance: random.Random) -> dict[str, Any]:
        match kind:
            case "comment":
                attributes = {"comment": comment}
            case "status":
                attributes = {"status": chance.choice(("OPEN", "IN_PROGRESS", "CLOSED"))}
            case "assign":
                attributes = {"assignee_id": str(uuid.UUID(int=chance.randrange(1, 9)))}
            case "priority":
                attributes = {"priority": chance.choice(("P1", "P2", "P3", "NOT_DEFINED"))}
            case _:
                attributes = {"title": f"Found by hand {uuid.uuid4()}"}
        return {"data": {"type": "case", "attributes": attributes}}

    def _ask(
        self, path: str, kind: str, body: dict[str, Any], chance: random.Random, comment: str = ""
    ) -> httpx.Response:
        headers = {**self._keys, "Idempotency-Key": str(uuid.uuid4())}
        if chance.random() < 0.03:
            # Such a version is never there: a rejection, which is an outcome as good as any.
            headers["If-Match"] = '"100000"'
        answer, asked = ask(self._client, path, body, self._accepted, headers=headers)
        self._note(answer, kind, asked, comment)
        if chance.random() < AGAIN:
            again, more = ask(self._client, path, body, self._accepted, headers=headers)
            assert again.headers["x-command-id"] == answer.headers["x-command-id"]
            self._note(again, kind, asked + more, comment)
        return answer

    def _note(self, answer: httpx.Response, kind: str, asked: int, comment: str) -> None:
        if answer.status_code < 300:
            verdict = "accepted"
        else:
            assert answer.status_code in {404, 409, 422}, f"{kind}: {answer.status_code} {answer.text}"
            verdict = "rejected"
        self._accepted.command(
            answer.headers["x-command-id"],
            Answered(tenant_id=self._tenant["tenant_id"], kind=kind, verdict=verdict, asks=asked),
            comment=comment,
        )
