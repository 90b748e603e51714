"""Everything that is asked of the platform at the same time, by senders that keep on whatever dies; and what it said yes to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import httpx

from tests.chaos.accepted import Accepted
from tests.chaos.alerts import HttpAlerts, KafkaAlerts, action
from tests.chaos.people import People

SENDERS: Final = 16
BACKLOG: Final = 100
"""Requests that wait for a sender: while the API is away no more are made, as patience is bounded."""

ODD_EVERY: Final = 250
"""Of so many things that are sent, one is garbage and one is too large."""


class Storm:
    """count: of what is to be accepted at least; it goes on until then and until `end`. rate: a second. keys: of alerts."""

    def __init__(
        self,
        *,
        http: str,
        kafka: str,
        tenants: Sequence[dict[str, str]],
        count: int,
        rate: float,
        keys: int = 300,
        seed: int = 1,
    ) -> None:
        self.accepted = Accepted()
        self.count = count
        self._rate = rate
        self._keys = keys
        self._chance = random.Random(seed)
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self._waiting: set[Future[None]] = set()
        self._client = httpx.Client(base_url=http, timeout=15, trust_env=False)
        self._people = [People(self._client, tenant, self.accepted) for tenant in tenants]
        self._http = [HttpAlerts(self._client, tenant, self.accepted) for tenant in tenants]
        self._kafka = [KafkaAlerts(kafka, tenant, self.accepted) for tenant in tenants]
        self._thread = threading.Thread(target=self._guarded, name="storm", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Let it end once enough is accepted."""
        self._ending.set()

    def abandon(self) -> None:
        """Let it end now, whatever is under way."""
        self.accepted.abandoned.set()
        self._failure = self._failure or AssertionError("the run has ended")

    def done(self) -> bool:
        """Whether all is sent and answered. Raises what ended it early."""
        if self._failure is not None:
            raise self._failure
        return not self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as failure:  # noqa: BLE001 - told to whoever waits
            self._failure = failure
        finally:
            self._client.close()

    def _run(self) -> None:
        turn, due = 0, time.monotonic()
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="sender") as pool:
            while not (self._ending.is_set() and self.accepted.count >= self.count):
                # What could not be sent while the API was away is not made up for at once.
                due = max(due + 1 / self._rate, time.monotonic() - 1)
                time.sleep(max(0.0, due - time.monotonic()))
                if self._failure is not None or any(sender.failure for sender in self._kafka):
                    break
                if len(self._waiting) < BACKLOG:
                    self._one(pool, turn)
                    turn += 1
        for sender in self._kafka:
            sender.finish()

    def _one(self, pool: ThreadPoolExecutor, turn: int) -> None:
        chance, which = self._chance, self._chance.randrange(len(self._people))
        key = f"chaos-{chance.randrange(self._keys)}"
        own = random.Random(chance.random())
        match turn % ODD_EVERY:
            case 10:
                self._kafka[which].send_corrupt(own)
            case 20:
                self._kafka[which].send_large()
            case 30:
                self._submit(pool, self._http[which].send_too_large)
            case _:
                match chance.choices(("http", "kafka", "people"), (35, 30, 35))[0]:
                    case "http":
                        self._submit(pool, self._http[which].send, action(chance), key, own)
                    case "kafka":
                        self._kafka[which].send(action(chance), key, own)
                    case _:
                        self._submit(pool, self._people[which].act, own)

    def _submit(self, pool: ThreadPoolExecutor, act: Callable[..., None], *arguments: Any) -> None:
        asked = pool.submit(act, *arguments)
        self._waiting.add(asked)
        asked.add_done_callback(self._answered)

    def _answered(self, asked: Future[None]) -> None:
        self._waiting.discard(asked)
        failed = asked.exception()
        if failed is not None:
            self._failure = failed
