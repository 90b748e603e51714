"""Fills a version of the Postgres views that does not serve, by the sink's own writer, never beyond the one that does."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.log import Bounds, Log, Place, raw_of
from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.truth import Name, State
from infra.runtime.errors import Transient
from sinks.base import LOG_START, Entry, Refused
from sinks.postgres.project import Placed
from sinks.postgres.writer import PostgresViews

if TYPE_CHECKING:
    from infra.cli.operate.bars import Counted

T = TypeVar("T")

BATCH: Final = 5_000
AT_ONCE: Final = 3
"""Partitions that are fed at the same time: while Postgres writes one batch, the next ones are decoded."""

_AGAIN: Final = "Nothing was switched. Run the same again: it goes on where it was."
_TRIES: Final = (0.1, 0.5, 1.0, 2.0, 5.0)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of `size`, the last one shorter."""
    rest = iter(items)
    while held := list(islice(rest, size)):
        yield held


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresFeed:
    """dsn: of the sink role. schema, sink: where the tables are, and the name of their positions.

    No effect comes of it: no outcome, no notification, no dead letter, nothing in Kafka or Redis.
    """

    log: Log
    dsn: str
    schema: str
    sink: str
    batch: int = BATCH

    def feed(
        self,
        ends: Mapping[Place, int],
        held: Mapping[Place, int],
        base: Mapping[Name, State],
        bar: Counted | None = None,
    ) -> Newest:
        """Bring each partition from where it is (held: 0 where nothing is) up to its end. Returns what came to it.

        base: the cases as they are by now.
        """
        spans = {place: Bounds(held.get(place, 0), end) for place, end in ends.items() if end > held.get(place, 0)}
        whole = Newest()
        # The longest first, so that none is alone at the end.
        order = sorted(spans, key=lambda place: spans[place].start - spans[place].end)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="feed") as pool:
            for fed in pool.map(lambda place: self._feed(place, spans[place], base, bar), order):
                whole.join(fed)
        return whole

    def scan(self, spans: Mapping[Place, Bounds], bar: Counted | None = None) -> Newest:
        """Return what these records say, and write nothing: for what an interrupted run has written already."""
        whole = Newest()
        for place, span in spans.items():
            read = Newest()
            for messages in batches(self.log.read({place: span}), self.batch):
                for message in messages:
                    read.read(raw_of(message))
                if bar is not None:
                    bar.move(len(messages))
            whole.join(read)
        return whole

    def _feed(self, place: Place, span: Bounds, base: Mapping[Name, State], bar: Counted | None) -> Newest:
        fed = Newest(base=base)
        with closing(PostgresViews(self.dsn, sink=self.sink, topic=place.topic, beside=self.schema)) as views:
            begin = views.assigned([place.partition])[place.partition]
            if (0 if begin == LOG_START else begin) != span.start:
                raise Problem(f"somebody else moved {place.topic}/{place.partition} of {self.schema}", hint=_AGAIN)
            for messages in batches(self.log.read({place: span}), self.batch):
                entries: list[Entry[Placed]] = []
                for raw in map(raw_of, messages):
                    placed = fed.taken(raw, views.decode)
                    if placed is not None:
                        fed.add(raw, placed.decoded)
                    entries.append(Entry(raw, placed))
                self._apply(views, entries, fed)
                if bar is not None:
                    bar.move(len(messages))
        return fed

    def _apply(self, views: PostgresViews, entries: Sequence[Entry[Placed]], fed: Newest) -> None:
        tries = iter(_TRIES)
        while True:
            try:
                views.apply(entries)
            except Refused as refused:
                causes = {entry.raw.offset: cause for entry, cause in refused.refused}
                for entry in entries:
                    if entry.item is not None and entry.raw.offset in causes:
                        fed.refuse(entry.raw, entry.item.decoded, causes[entry.raw.offset])
                        entry.item = None
            except Transient as away:
                pause = next(tries, None)
                if pause is None:
                    raise Problem(str(away), hint=_AGAIN, exit_code=Exit.UNAVAILABLE) from away
                time.sleep(pause)
            else:
                return
