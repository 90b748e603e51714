"""Makes what was written findable, soon and seldom: a refresh at most every half second, from a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import structlog
from prometheus_client import Histogram

from infra.runtime.errors import Transient

EVERY_SECONDS: Final = 0.5
"""A refresh costs the index a new segment. Half a second leaves room in the 1.5 s from write to found."""

REFRESH_SECONDS: Final = Histogram(
    "sink_refresh_seconds",
    "Time of a refresh of a search index.",
    ["group"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
_log = structlog.get_logger()


class Shown(Protocol):
    """Where it is said how far the index can be searched."""

    def show(self, nexts: Mapping[int, int]) -> None: ...

    def close(self) -> None: ...


class Visibility:
    """refresh: returns when all that was acked before it was called is found. `shown` is used by the thread alone.

    While Elasticsearch or Postgres is away it goes on trying: nothing is lost by that, readers only wait longer.
    """

    def __init__(self, refresh: Callable[[], None], shown: Shown, *, group: str, every: float = EVERY_SECONDS) -> None:
        self._refresh = refresh
        self._shown = shown
        self._group = group
        self._every = every
        self._pending: dict[int, int] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._failed: BaseException | None = None
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="visibility", daemon=True)
        self._thread.start()

    def written(self, nexts: Mapping[int, int]) -> None:
        """Everything before these positions is in the index, acked, and stored as such."""
        with self._changed:
            _merge(self._pending, nexts)
            self._changed.notify()

    def check(self) -> None:
        """Raise what ended the thread, if it has: it is a bug."""
        if self._failed is not None:
            raise RuntimeError("the refreshing thread has ended") from self._failed

    def close(self) -> None:
        """Show what is left, if it can be done at once, and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()
        self._shown.close()

    def _run(self) -> None:
        try:
            while self._wait():
                began = time.monotonic()
                self._show()
                ended = time.monotonic()
                # A busy index is given a while to write: refreshed without a pause, it does little else.
                self._rest(max(began + self._every, ended + min(ended - began, self._every)))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the sink's own thread sees it
            self._failed = error
            self.trouble = f"ended: {error!r}"

    def _wait(self) -> bool:
        """Sleep until something is to be shown. False: it is time to end, with nothing left."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._stopping)
            return bool(self._pending)

    def _rest(self, until: float) -> None:
        with self._changed:
            while not self._stopping and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)

    def _show(self) -> None:
        with self._changed:
            nexts, self._pending = self._pending, {}
        try:
            with REFRESH_SECONDS.labels(self._group).time():
                self._refresh()
            self._shown.show(nexts)
        except Transient as away:
            if self.trouble is None:
                _log.warning("what was written is not found yet", group=self._group, cause=str(away))
            self.trouble = f"waiting: {away}"
            with self._changed:
                if not self._stopping:
                    # The next owner of the partitions refreshes where this one could not.
                    _merge(self._pending, nexts)
        else:
            self.trouble = None


def _merge(into: dict[int, int], nexts: Mapping[int, int]) -> None:
    for partition, next_offset in nexts.items():
        into[partition] = max(into.get(partition, 0), next_offset)
