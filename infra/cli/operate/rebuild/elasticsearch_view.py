"""An index beside the one that serves: filled, compared, and put behind the alias while the sink waits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.bars import Counted
from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.rebuild import index_state as state
from infra.cli.operate.rebuild.filled import positions
from infra.cli.operate.rebuild.index_feed import IndexFeed
from infra.cli.operate.rebuild.index_state import Connection
from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.rebuild.report import Report
from infra.cli.operate.truth import Difference, Name, differences
from infra.cli.operate.views import ElasticsearchView
from infra.cli.operate.where import Where
from sinks.elasticsearch.index import SearchIndex
from sinks.elasticsearch.writer import ALIAS, GROUP
from streams.topics import CASE_EVENTS

if TYPE_CHECKING:
    from rich.progress import Progress

_SMALL: Final = 1_000
"""As many records may be left when the sink is made to wait."""

_ROUNDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchRebuild:
    """fresh: begin anew where a run was interrupted. group: who fills the index that serves, behind `alias`, from `topic`.

    What is being filled and what was kept stands in Postgres, with positions.
    """

    where: Where
    log: Log
    progress: Progress
    fresh: bool = False
    topic: str = CASE_EVENTS
    group: str = GROUP
    alias: str = ALIAS

    def serving(self, connection: Connection, *, locked: bool = False) -> dict[Place, int]:
        """Return how far the index is that serves."""
        return state.serving(connection, self.group, self.topic, locked=locked)

    def run(self, *, switch: bool) -> Report:
        """Fill a new index and let it serve, unless a case in it is not as the log says. Raises Problem."""
        began = time.monotonic()
        with state.alone(self.where.postgres) as connection:
            index, resumed = self._index(connection)
            with self._work(connection, index, state.FILLING) as work:
                newest = work.fill("writing documents")
                found = work.settle(newest)
                report = Report(view="elasticsearch", version=index, newest=newest, differences=found, resumed=resumed)
                if switch and not found:
                    report.kept = work.cut_over(newest)
                    report.switched = True
        report.seconds = time.monotonic() - began
        return report

    def roll_back(self) -> Report:
        """Let the index serve again that was kept, with all that came to the log since. Raises Problem."""
        began = time.monotonic()
        with state.alone(self.where.postgres) as connection:
            kept = state.named(connection, state.KEPT)
            if not kept or not self._exists(kept[-1]):
                raise Problem("no earlier index is kept", exit_code=Exit.NOT_FOUND)
            with self._work(connection, kept[-1], state.KEPT) as work:
                newest = work.fill("bringing it up to date")
                found = work.settle(newest)
                report = Report(view="elasticsearch", version=kept[-1], newest=newest, differences=found)
                report.kept = work.cut_over(newest)
                report.switched = True
        report.seconds = time.monotonic() - began
        return report

    def discard(self) -> list[str]:
        """Delete the indices that do not serve and that a rebuild has made or kept. Returns their names."""
        with state.alone(self.where.postgres) as connection:
            gone = [(at, index) for at in (state.FILLING, state.KEPT) for index in state.named(connection, at)]
            for at, index in gone:
                self._delete(connection, at, index)
        return [index for _, index in gone]

    @contextmanager
    def _work(self, connection: Connection, index: str, at: str) -> Iterator[_Work]:
        search = SearchIndex(self.where.elasticsearch, index)
        try:
            yield _Work(self, connection, search, at)
        finally:
            search.close()

    def _index(self, connection: Connection) -> tuple[str, bool]:
        """Return the index to fill, and whether an interrupted run has begun it."""
        from migrations.elasticsearch_runner import create, load

        newest = [file for file in load() if file.alias == ALIAS][-1]
        for index in state.named(connection, state.FILLING):
            if not self.fresh and self._made_of(index, newest.checksum):
                return index, True
            self._delete(connection, state.FILLING, index)
        index = f"{newest.index}.{datetime.now(UTC):%Y%m%d%H%M%S%f}"
        create(self.where.elasticsearch, index)
        ends = self.serving(connection)
        state.keep(connection, state.FILLING + index, dict.fromkeys(ends or [Place(self.topic, 0)], 0))
        return index, False

    def _delete(self, connection: Connection, at: str, index: str) -> None:
        if self._exists(index):
            with self._client() as client:
                if client.indices.exists_alias(index=index, name=self.alias):
                    raise Problem(f"{index} serves, though it is noted as one that does not", hint=_BY_HAND)
                client.indices.delete(index=index)
        state.forget(connection, at + index)

    def _exists(self, index: str) -> bool:
        with self._client() as client:
            return bool(client.indices.exists(index=index))

    def _made_of(self, index: str, checksum: str) -> bool:
        if not self._exists(index):
            return False
        with self._client() as client:
            meta = client.indices.get_mapping(index=index)[index]["mappings"].get("_meta", {})
        return bool(meta.get("checksum") == checksum)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from elasticsearch import Elasticsearch

        with Elasticsearch(self.where.elasticsearch, request_timeout=60) as client:
            yield client


_BY_HAND: Final = "Was the alias moved by hand? Delete its rows of `projection_offset`, or move the alias back."


@dataclass(frozen=True, slots=True)
class _Work:
    """One index at work. at: what it is noted as."""

    how: ElasticsearchRebuild
    connection: Connection
    search: SearchIndex
    at: str

    @property
    def sink(self) -> str:
        return self.at + self.search.name

    @property
    def feed(self) -> IndexFeed:
        return IndexFeed(log=self.how.log, index=self.search)

    def fill(self, what: str) -> Newest:
        """Bring the index to where the one stands that serves. Returns what all of its log says."""
        held, ends = positions(self.connection, self.sink), self.how.serving(self.connection)
        self._whole(ends)
        whole = {place: Bounds(0, end) for place, end in ends.items()}
        bar = Counted(self.how.progress, "reading the log", sum(ends.values()))
        newest = self.feed.scan(whole, {}, bar)
        spans = {place: Bounds(held.get(place, 0), end) for place, end in ends.items() if end > held.get(place, 0)}
        due = sum(offset >= held.get(Place(self.how.topic, p), 0) for p, offset in newest.at.values())
        bar = Counted(self.how.progress, what, due)
        for place, span in spans.items():
            self.feed.write({place: span}, newest, bar)
            state.keep(self.connection, self.sink, {place: span.end})
        return newest

    def settle(self, newest: Newest) -> list[Difference]:
        """Compare, and follow the serving index meanwhile until only a little is left."""
        bar = Counted(self.how.progress, "comparing", len(newest.cases))
        found = self._compared(newest, None)
        bar.move(len(newest.cases))
        for _ in range(_ROUNDS):
            came = self._follow(self.how.serving(self.connection), newest)
            found = [d for d in found if d.name not in came.cases] + self._compared(newest, came)
            if came.records < _SMALL:
                break
        return found

    def cut_over(self, newest: Newest) -> str:
        """Let the alias stand for this index. Returns the name of the one that is kept.

        The sink waits before it stores its next position. Up to the stored one the new index has everything before the
        alias moves; what the sink had written beyond it into the old index is in the log, and is written here before the
        sink goes on. So whatever a reader was told to be findable is found.
        """
        from migrations.elasticsearch_runner import switch

        index = self.search.name
        with self.connection.transaction():
            self.connection.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            ends = self.how.serving(self.connection, locked=True)
            self._follow(ends, newest)
            self.search.refresh()
            with self.how._client() as client:  # noqa: SLF001 - the other half of this module
                old = [name for name in client.indices.get_alias(name=self.how.alias) if name != index]
            switch(self.how.where.elasticsearch, index, alias=self.how.alias)
            bounds = self.how.log.bounds([self.how.topic])
            self._follow({place: span.end for place, span in bounds.items()}, newest)
            self.search.refresh()
            state.forget(self.connection, self.sink)
            for name in old:
                state.keep(self.connection, state.KEPT + name, ends)
        for name in state.named(self.connection, state.KEPT):
            if name not in old:
                self.how._delete(self.connection, state.KEPT, name)  # noqa: SLF001 - the other half of this module
        return ", ".join(old)

    def _follow(self, ends: Mapping[Place, int], newest: Newest) -> Newest:
        """Take what came since, and return it."""
        held = positions(self.connection, self.sink)
        spans = {place: Bounds(held.get(place, 0), end) for place, end in ends.items() if end > held.get(place, 0)}
        came = self.feed.scan(spans, newest.cases)
        self.feed.write(spans, came)
        newest.join(came)
        state.keep(self.connection, self.sink, {place: span.end for place, span in spans.items()})
        return came

    def _compared(self, newest: Newest, came: Newest | None) -> list[Difference]:
        """Return what differs: of all cases, or of those that came."""
        if came is not None and not came.cases:
            return []
        view = ElasticsearchView(self.how.where.elasticsearch, index=self.search.name)
        names: set[Name] | None = None if came is None else set(came.cases)
        expected = newest.cases if names is None else {name: newest.cases[name] for name in names}
        return [d for d in differences(expected, dict(view.states(names))) if d.name not in newest.refused]

    def _whole(self, ends: Mapping[Place, int]) -> None:
        """Raise Problem unless the log has everything from its first record, up to where the serving index is."""
        bounds = self.how.log.bounds([self.how.topic])
        for place, end in ends.items():
            span = bounds.get(place)
            if span is None or span.end < end:
                hint = "Are these Kafka and this Postgres of one system?"
                raise Problem(f"{place.topic}/{place.partition} does not reach to where the index is, {end}", hint=hint)
            if span.start:
                raise Problem(f"{place.topic}/{place.partition} does not begin at offset 0 any more")
