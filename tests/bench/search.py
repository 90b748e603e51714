"""Which of the signals' cases a search finds, and since when."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Final, Self

import httpx

GIVE_UP_SECONDS: Final = 25.0
LOOK_SECONDS: Final = 0.15
OVERLAP_SECONDS: Final = 0.6
QUIET_SECONDS: Final = 3.0
LIMIT: Final = 10_000
"""Hits that a search gives at most; no step has more signals."""


class Search:
    """Looks several times a second which of the signals' cases the index finds, and notes when it first did."""

    def __init__(self, elasticsearch: str, tenant_id: str, name: str, count: int) -> None:
        self.found: dict[int, float] = {}
        self._client = httpx.Client(base_url=elasticsearch, trust_env=False, timeout=30)
        self._tenant_id = tenant_id
        self._name = name
        self._count = count
        self._first = max(
            (int(hit["_seq_no"]) for hit in self._ask([], size=1, sort=[{"_seq_no": "desc"}])), default=-1
        )
        self._seen: deque[tuple[float, int]] = deque([(0.0, self._first)])
        self._grew_at = time.monotonic()
        self._failed: BaseException | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()
        self._client.close()

    def wait(self) -> None:
        """Return when all are found, or none has been for a while."""
        had, since = -1, time.monotonic()
        while len(self.found) < self._count and time.monotonic() - since < GIVE_UP_SECONDS:
            if self._failed is not None:
                raise self._failed
            if len(self.found) != had:
                had, since = len(self.found), time.monotonic()
            time.sleep(0.05)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                began = time.monotonic()
                self._look()
                self._closed.wait(max(0.0, began + LOOK_SECONDS - time.monotonic()))
        except BaseException as failed:  # noqa: BLE001 - raised again where it is waited for
            self._failed = failed

    def _look(self) -> None:
        """Ask for what the index took since a little before the last look: what it takes at once is not found in order."""
        now = time.monotonic()
        while len(self._seen) > 1 and self._seen[1][0] < now - OVERLAP_SECONDS:
            self._seen.popleft()
        # What a look has missed all the same is found late, rather than not at all.
        quiet = now - self._grew_at > QUIET_SECONDS
        above = self._first if quiet else self._seen[0][1]
        hits = self._ask([{"range": {"_seq_no": {"gt": above}}}], size=LIMIT, sort=["_doc"])
        now = time.monotonic()
        self._seen.append((now, max((int(hit["_seq_no"]) for hit in hits), default=self._seen[-1][1])))
        for hit in hits:
            name, _, n = hit["fields"]["title.sort"][0].partition(" ")
            if name == self._name and int(n) not in self.found:
                self.found[int(n)] = self._grew_at = now
        if quiet:
            self._closed.wait(1.0)

    def _ask(self, filters: list[dict[str, Any]], *, size: int, sort: list[Any]) -> list[Any]:
        asked = {
            "size": size,
            "sort": sort,
            "query": {"bool": {"filter": [{"term": {"tenant_id": self._tenant_id}}, *filters]}},
            "_source": False,
            "docvalue_fields": ["title.sort"],
            "seq_no_primary_term": True,
            "track_total_hits": False,
        }
        answer = self._client.post("/case/_search", json=asked)
        answer.raise_for_status()
        hits: list[Any] = answer.json()["hits"]["hits"]
        return hits
