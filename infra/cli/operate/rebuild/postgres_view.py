"""A version of the Postgres views beside the one that serves: filled, compared, and put in its place in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import errors

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.bars import Counted
from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.rebuild import compare, versions
from infra.cli.operate.rebuild.filled import positions
from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.rebuild.postgres_feed import BATCH, PostgresFeed
from infra.cli.operate.rebuild.report import Report
from infra.cli.operate.rebuild.versions import Connection, Version
from infra.cli.operate.truth import Difference
from migrations import beside
from sinks.postgres.main import GROUPS
from sinks.postgres.tables import VIEWS

if TYPE_CHECKING:
    from rich.progress import Progress

_SMALL: Final = 1_000
"""As many records may be left when those who write are made to wait."""

_ROUNDS: Final = 10
_PATIENCE: Final = (*((0.8, 0.2),) * 20, *((3.0, 0.5),) * 10)
"""For how long to wait for readers, and for how long to let them go on after that, in seconds. Below a second no reader that
waits for us is taken for a deadlock; later, after a second, the server sends its own vacuum away.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresRebuild:
    """owner: DSN of who may make tables. sink: of the role that fills them. fresh: begin anew where a run was interrupted.

    groups: by topic, the group that fills the views that serve.
    """

    owner: str = field(repr=False)
    sink: str = field(repr=False)
    log: Log
    progress: Progress
    fresh: bool = False
    batch: int = BATCH
    groups: Mapping[str, str] = field(default_factory=lambda: GROUPS)

    def run(self, *, switch: bool) -> Report:
        """Fill a new version and let it serve, unless anything in it is not as the log says. Raises Problem."""
        began = time.monotonic()
        with versions.alone(self.owner) as connection, psycopg.connect(self.sink, autocommit=True) as reader:
            version, resumed = self._version(connection)
            work = _Work(self, connection, reader, version)
            newest = work.fill("filling the views")
            work.finish()
            found, wrong = work.settle(newest)
            report = Report(
                view="postgres",
                version=str(version.number),
                newest=newest,
                differences=found,
                wrong=wrong,
                changed=compare.changed(reader, version.schema),
                resumed=resumed,
            )
            if switch and not found and not wrong:
                report.kept = work.cut_over(newest, strict=True)
                report.switched = True
        report.seconds = time.monotonic() - began
        return report

    def roll_back(self) -> Report:
        """Let the version serve again that was kept, with all that came to the log since. Raises Problem."""
        began = time.monotonic()
        with versions.alone(self.owner) as connection, psycopg.connect(self.sink, autocommit=True) as reader:
            kept = versions.read(connection).get("kept")
            if kept is None:
                raise Problem("no earlier version of the Postgres views is kept", exit_code=Exit.NOT_FOUND)
            version = Version(number=kept)
            if not versions.alike(connection, version, indexes=True):
                raise Problem(
                    f"version {kept} is not made as those tables are that serve: migrations came in between",
                    hint="It cannot serve with this program. Rebuild the view instead.",
                )
            work = _Work(self, connection, reader, version)
            newest = work.fill("bringing it up to date")
            found, wrong = work.settle(newest)
            report = Report(view="postgres", version=str(kept), newest=newest, differences=found, wrong=wrong)
            report.kept = work.cut_over(newest, strict=False)
            report.switched = True
        report.seconds = time.monotonic() - began
        return report

    def discard(self) -> list[str]:
        """Remove what does not serve, and return the names of what is gone. A later roll-back is not possible then."""
        with versions.alone(self.owner) as connection:
            gone = [Version(number=n) for state, n in sorted(versions.read(connection).items()) if state != "serving"]
            for version in gone:
                versions.discard(connection, version)
        return [version.schema for version in gone]

    def _version(self, connection: Connection) -> tuple[Version, bool]:
        """Return the version to fill, and whether an interrupted run has begun it."""
        filling = versions.read(connection).get("filling")
        if filling is not None:
            version = Version(number=filling)
            if not self.fresh and versions.alike(connection, version, indexes=False):
                return version, True
            versions.discard(connection, version)
        return versions.begin(connection), False


@dataclass(frozen=True, slots=True)
class _Work:
    """One version at work. connection: of the owner, with the lock. reader: of the sink role, who sees all tenants."""

    how: PostgresRebuild
    connection: Connection
    reader: Connection
    version: Version

    @property
    def feed(self) -> PostgresFeed:
        how, version = self.how, self.version
        return PostgresFeed(log=how.log, dsn=how.sink, schema=version.schema, sink=version.sink, batch=how.batch)

    def fill(self, what: str) -> Newest:
        """Bring the version to where the one stands that serves. Returns what all of its log says."""
        held = positions(self.connection, self.version.sink)
        ends = versions.serving_positions(self.connection, self.how.groups)
        self._whole(ends)
        newest = Newest()
        before = {place: Bounds(0, n) for place, n in held.items() if n}
        if before:
            bar = Counted(self.how.progress, "reading what is there", sum(span.end for span in before.values()))
            newest = self.feed.scan(before, bar)
        bar = Counted(self.how.progress, what, _left(ends, held))
        newest.join(self.feed.feed(ends, held, newest.cases, bar))
        return newest

    def finish(self) -> None:
        """Make the indexes that filling did without."""
        task = self.how.progress.add_task("making indexes", total=None)
        for name in beside.finish(self.connection, VIEWS, self.version.schema):
            self.how.progress.update(task, description=f"making index {name}")
        self.how.progress.update(task, description="made all indexes", total=1, completed=1)

    def settle(self, newest: Newest) -> tuple[list[Difference], list[str]]:
        """Compare, and follow the serving version meanwhile until only a little is left."""
        bar = Counted(self.how.progress, "comparing", len(newest.cases))
        found = compare.cases(self.reader, self.version.schema, newest)
        wrong = compare.others(self.reader, self.version.schema, newest)
        bar.move(len(newest.cases))
        for _ in range(_ROUNDS):
            came = self._follow(versions.serving_positions(self.connection, self.how.groups), newest)
            found = _again(found, self._compared(newest, came), came)
            if came.records < _SMALL:
                break
        return found, wrong

    def _follow(self, ends: Mapping[Place, int], newest: Newest) -> Newest:
        """Take what came since, and return it."""
        held = positions(self.connection, self.version.sink)
        came = self.feed.feed(ends, held, newest.cases)
        newest.join(came)
        return came

    def _compared(self, newest: Newest, came: Newest) -> list[Difference]:
        return compare.cases(self.reader, self.version.schema, newest, among=came.cases.keys()) if came.cases else []

    def cut_over(self, newest: Newest, *, strict: bool) -> str:
        """Exchange the versions. Returns the name of the one that is kept. strict: nothing that differs may serve.

        Writers wait at their positions, so that both versions come to the same ones; then all tables change places at
        once. Whoever waited finds the new tables under the old names, at the position that he knows.
        """
        for patience, pause in _PATIENCE:
            try:
                with self.connection.transaction():
                    return self._exchange(newest, patience, strict=strict)
            except (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected):
                time.sleep(pause)
        raise Problem(
            "readers hold the tables and do not let go of them: nothing was switched",
            hint="Look for long transactions in pg_stat_activity, and run the same again: it goes on where it was.",
            exit_code=Exit.UNAVAILABLE,
        )

    def _exchange(self, newest: Newest, patience: float, *, strict: bool) -> str:
        connection, version = self.connection, self.version
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = '30s'")
        states = versions.read(connection)
        old = Version(number=states["serving"])
        ends = versions.serving_positions(connection, self.how.groups, locked=True)
        came = self._follow(ends, newest)
        different = self._compared(newest, came)
        if different and strict:
            raise Problem(f"case {different[0].name.case_id} differs: {different[0].said}. Nothing was switched")
        if not versions.alike(connection, version, indexes=True):
            raise Problem(
                "the tables were changed meanwhile, by a migration for one",
                hint="Nothing was switched. Run it again: it begins anew.",
            )
        connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(int(patience * 1000)),))
        beside.lock(connection, VIEWS, (beside.SERVING, version.schema))
        connection.execute("SET LOCAL statement_timeout = 0")
        if (kept := states.get("kept")) not in (None, version.number):
            versions.remove(connection, Version(number=kept))
        beside.prepare(connection, old.schema, like=version.schema)
        beside.exchange(connection, VIEWS, coming=version.schema, going=old.schema)
        beside.drop(connection, version.schema)
        versions.forget_positions(connection, version.sink)
        versions.keep_positions(connection, old.sink, ends)
        connection.execute(
            "UPDATE postgres_view SET state = CASE version WHEN %s THEN 'serving' ELSE 'kept' END, since = now() "
            "WHERE version IN (%s, %s)",
            (version.number, version.number, old.number),
        )
        return old.schema

    def _whole(self, ends: Mapping[Place, int]) -> None:
        """Raise Problem unless the log has everything from its first record, up to where the serving views are."""
        bounds = self.how.log.bounds(self.how.groups)
        for place, end in ends.items():
            span = bounds.get(place)
            if span is None or span.end < end:
                raise Problem(
                    f"{place.topic}/{place.partition} does not reach to where the view is, {end}", hint=_OTHER
                )
            if span.start:
                raise Problem(f"{place.topic}/{place.partition} does not begin at offset 0 any more")


_OTHER: Final = "Are these Kafka and this Postgres of one system?"


def _left(ends: Mapping[Place, int], held: Mapping[Place, int]) -> int:
    return sum(max(end - held.get(place, 0), 0) for place, end in ends.items())


def _again(before: list[Difference], now: list[Difference], came: Newest) -> list[Difference]:
    """Return what differs after some cases were compared once more."""
    return [d for d in before if d.name not in came.cases] + now
