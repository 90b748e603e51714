"""`case-cli rebuild`: a view made anew from the events beside the one that serves, compared, then put in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from infra.cli.case.problem import Exit, Problem
from infra.cli.case.text import plural
from infra.cli.operate.session import Operation, operation
from infra.cli.operate.verify import Comparison, progress_bars

if TYPE_CHECKING:
    from rich.progress import Progress

    from infra.cli.operate.log import Log, Place
    from infra.cli.operate.truth import Difference
    from infra.cli.operate.where import Where

app = typer.Typer(no_args_is_help=True, help="Make a view anew from the events, while the old one serves.")

_STALL_SECONDS: Final = 60.0


def _elasticsearch(
    run: Operation,
    *,
    keep: Annotated[
        bool, typer.Option("--no-switch", help="Leave the alias where it is; the new index stands beside the old one.")
    ] = False,
) -> None:
    """Fill a new search index from the first event, compare every case by state hash, then let the alias stand for it.

    Nothing is switched where a case differs. The old index stays. Needs a role of Postgres that stores positions (the
    sink's). Nothing but the index is touched: no effect is repeated.
    """
    from infra.cli.operate.log import Log
    from migrations.elasticsearch_runner import create, load

    where = run.where
    newest = [file for file in load() if file.alias == "case"][-1]
    index = f"{newest.index}.{datetime.now(UTC):%Y%m%d%H%M%S}"
    create(where.elasticsearch, index)
    with progress_bars(run.out) as progress:
        rebuild = Rebuild(where=where, index=index, log=Log(where.kafka), progress=progress)
        found, cases = rebuild.run(switch=not keep)
    if run.out.as_json:
        switched = not keep and not found
        run.out.json({"index": index, "cases": cases, "different": len(found), "switched": switched})
    elif found:
        run.out.print(f"{len(found)} of {plural(cases, 'case')} differ in {index}: nothing is switched.")
    else:
        told = "stands beside the one that serves" if keep else "is what `case` stands for now"
        run.out.print(f"{index}, with {plural(cases, 'case')}, {told}.")
    if found:
        run.end(Exit.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """One rebuild of the search index. It has a group of its own, whose traces are removed at the end."""

    where: Where
    index: str
    log: Log
    progress: Progress

    @property
    def group(self) -> str:
        return f"rebuild.{self.index}"

    def run(self, *, switch: bool) -> tuple[list[Difference], int]:
        """Return what differs, and the number of cases. Raises Problem where it does not come forward."""
        from infra.cli.operate.views import ElasticsearchView
        from migrations.elasticsearch_runner import switch as switch_alias

        view = ElasticsearchView(self.where.elasticsearch, index=self.index, group=self.group)
        with _silent(), self._fed() as trouble:
            self._await(trouble)
            comparison = Comparison(log=self.log, view=view, postgres=self.where.postgres, progress=self.progress)
            found = comparison.run(wait=_STALL_SECONDS)
            if switch and not found:
                switch_alias(self.where.elasticsearch, self.index)
                # What the running sink was still writing into the old index is in the log by now.
                self._await(trouble)
        return found, len(comparison.truth)

    @contextmanager
    def _fed(self) -> Iterator[Callable[[], str | None]]:
        """Feed the index on a thread while inside. Gives what says why it does not come forward."""
        from infra.runtime.kafka import create_topics
        from schemas.topics import DEAD_LETTER_CONFIG, dead_letters
        from sinks.elasticsearch.writer import ElasticsearchCases
        from sinks.loop import Loop, NotReady
        from streams.topics import CASE_EVENTS

        dead = dead_letters(self.group)
        partitions = len(self.log.bounds([CASE_EVENTS]))
        create_topics(self.where.kafka, {dead: DEAD_LETTER_CONFIG}, partitions=partitions)
        sink = ElasticsearchCases(self.where.elasticsearch, self.where.postgres, index=self.index, group=self.group)
        loop = Loop(sink, bootstrap=self.where.kafka, topic=CASE_EVENTS, group=self.group)
        stop = threading.Event()
        ended: list[BaseException] = []

        def feed() -> None:
            try:
                loop.run(stop)
            except BaseException as error:  # noqa: BLE001 - said by whoever waits for it
                ended.append(error)

        def trouble() -> str | None:
            try:
                loop.ping()
            except NotReady as not_ready:
                return str(ended[0]) if ended else str(not_ready)
            return None

        thread = threading.Thread(target=feed, name=self.group, daemon=True)
        thread.start()
        try:
            yield trouble
        finally:
            stop.set()
            thread.join(30)
            self._forget(dead)

    def _await(self, trouble: Callable[[], str | None]) -> None:
        """Return when all that is in the log by now is in the index."""
        from infra.cli.operate.positions import read_stored
        from streams.topics import CASE_EVENTS

        ends = {place: span.end for place, span in self.log.bounds([CASE_EVENTS]).items()}
        total = sum(ends.values())
        task = self.progress.add_task("filling the index", total=total)
        done, moved_at = -1, time.monotonic()
        while True:
            stored = {
                place: at.next for (sink, place), at in read_stored(self.where.postgres).items() if sink == self.group
            }
            now = self._done(ends, stored)
            self.progress.update(task, completed=now)
            if now >= total:
                return
            if now != done:
                done, moved_at = now, time.monotonic()
            elif time.monotonic() - moved_at > _STALL_SECONDS:
                raise Problem(
                    f"{self.index} is not filled any further: {trouble() or 'no cause is known'}",
                    hint=f"Nothing was switched. Delete {self.index} and try again.",
                    exit_code=Exit.UNAVAILABLE,
                )
            time.sleep(0.2)

    def _done(self, ends: Mapping[Place, int], stored: Mapping[Place, int]) -> int:
        return sum(min(stored.get(place, 0), end) for place, end in ends.items())

    def _forget(self, dead: str) -> None:
        """Remove the positions of a group that never comes back, and its dead letters."""
        import psycopg
        from confluent_kafka.admin import AdminClient

        with psycopg.connect(self.where.postgres, connect_timeout=5) as connection:
            connection.execute("DELETE FROM projection_offset WHERE sink = %s", (self.group,))
        admin = AdminClient({"bootstrap.servers": self.where.kafka, "log_level": 0})
        for deleted in admin.delete_topics([dead], operation_timeout=15).values():
            deleted.result(20)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the logs of the loop away from what a command writes."""
    import structlog

    def drop(_logger: Any, _name: str, _event: Any) -> Any:
        raise structlog.DropEvent

    before: dict[str, Any] = structlog.get_config()
    structlog.configure(processors=[drop])
    try:
        yield
    finally:
        structlog.configure(**before)


def _register() -> None:
    operation(
        app,
        "elasticsearch",
        needs=("kafka", "postgres", "elasticsearch"),
        examples="""
case-cli rebuild elasticsearch
case-cli rebuild elasticsearch --no-switch --json | jq -r .index
""",
    )(_elasticsearch)


_register()
