"""Writes the Postgres views of one topic: one transaction a batch, fenced by the stored positions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from infra.runtime.errors import NewerWriter, PoisonMessage
from schemas.topics import GENERATION
from sinks import metrics
from sinks.base import LOG_START, Entry, Fenced, Raw, Refused
from sinks.event import event
from sinks.postgres.live import Live
from sinks.postgres.project import Changes, Placed, project, projects
from sinks.postgres.queries import array, columns, query
from sinks.postgres.store import Connection, RowRefused, Store

OUTCOME_SECONDS: Final = 24 * 3600
"""How long answers to callers are kept."""
_NEVER: Final = 2**63
FORGET_SECONDS: Final = 30.0
FORGET_LIMIT: Final = 10_000


class PostgresViews:
    """A ProjectionSink. sink: the name under which it keeps its positions, which is the group's.

    dsn: of the sink role. live: woken for the tenants whose cases changed. clock: seconds since 1970. beside: the schema of
    a version of the views that does not serve yet; it answers nobody, so that no outcome is there before what it tells of.
    """

    def __init__(
        self,
        dsn: str,
        *,
        sink: str,
        topic: str,
        live: Live | None = None,
        generation: int = GENERATION,
        clock: Callable[[], float] = time.time,
        beside: str = "",
    ) -> None:
        self._store = Store(dsn, beside=beside)
        self._answers = not beside
        self._sink = sink
        self._topic = topic
        self._live = live
        self._generation = generation
        self._clock = clock
        # As stored: 0 where nothing is applied, wherever the log begins.
        self._positions: dict[int, int] = {}
        self._forget_at = 0.0

    def decode(self, raw: Raw) -> Placed:
        decoded = event(raw)
        if not projects(decoded):
            raise PoisonMessage(f"{decoded.name} is not a record of {self._topic}")
        return Placed(decoded, raw.topic, self._generation, raw.partition, raw.offset, max(raw.timestamp, 0) * 1_000)

    def assigned(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return the stored positions; of a new partition, or an earlier generation of the topic, LOG_START.

        Raises NewerWriter where the positions are of a later generation than this process knows.
        """
        asked = {"sink": self._sink, "topic": self._topic, "partition": array(partitions)}
        with self._store.session() as connection:
            connection.execute(query("begin_position"), {**asked, "generation": self._generation})
            stored = connection.execute(query("read_position"), asked).fetchall()
        newer = [generation for _, generation, _ in stored if generation > self._generation]
        if newer:
            raise NewerWriter(f"{self._topic} is of generation {newer[0]}, this process knows {self._generation}")
        self._positions = {partition: next_offset for partition, _, next_offset in stored}
        return {partition: next_offset or LOG_START for partition, next_offset in self._positions.items()}

    def apply(self, batch: Sequence[Entry[Placed]]) -> None:
        moves = self._moves(batch)
        try:
            changes = self._project(batch)
            with self._store.session() as connection:
                written = self._write(connection, changes, moves)
        except RowRefused as error:
            refused = self._sift(batch, str(error))
            if not refused:
                # Each record alone is taken, so that none is to blame: a bug of ours.
                raise
            raise Refused(refused) from error
        self._positions |= moves
        for table, count in written.items():
            metrics.ROWS.labels(self._sink, table).inc(count)
        if self._live is not None:
            self._live.wake(changes.live())

    def idle(self) -> None:
        """Delete what is kept for a day only: some rows, every half minute."""
        now = time.monotonic()
        if now < self._forget_at:
            return
        with self._store.session() as connection:
            for name in ("forget_outcomes", "forget_idempotency_keys"):
                connection.execute(query(name), {"limit": FORGET_LIMIT})
        self._forget_at = now + FORGET_SECONDS

    def close(self) -> None:
        self._store.close()

    def _moves(self, batch: Sequence[Entry[Placed]]) -> dict[int, int]:
        """Return where the batch leaves each of its partitions. Raises Fenced where it begins elsewhere than stored."""
        begins: dict[int, int] = {}
        nexts: dict[int, int] = {}
        for entry in batch:
            begins.setdefault(entry.raw.partition, entry.raw.offset)
            nexts[entry.raw.partition] = entry.raw.offset + 1
        for partition, offset in begins.items():
            stored = self._positions.get(partition)
            if stored is None or (stored and stored != offset):
                raise Fenced(f"partition {partition}: the batch begins at {offset}, stored is {stored}")
        return nexts

    def _project(self, batch: Sequence[Entry[Placed]]) -> Changes:
        since = int((self._clock() - OUTCOME_SECONDS) * 1_000_000) if self._answers else _NEVER
        return project((entry.item for entry in batch if entry.item is not None), outcomes_since=since)

    def _write(self, connection: Connection, changes: Changes, moves: Mapping[int, int]) -> dict[str, int]:
        """Write everything in one transaction and two round trips. Returns the rows of each table."""
        tables = changes.tables()
        moving = {
            "sink": self._sink,
            "topic": self._topic,
            "generation": self._generation,
            "partition": array(moves),
            "expected": array(self._positions[partition] for partition in moves),
            "next_offset": array(moves.values()),
        }
        with connection.pipeline() as pipeline, connection.transaction():
            moved = connection.execute(query("move_position"), moving, prepare=True)
            for table, rows in tables.items():
                connection.execute(query(table), columns(rows), prepare=True)
            if changes.outcomes:
                connection.execute("NOTIFY casestream_outcome")
            pipeline.sync()
            if moved.rowcount != len(moves):
                raise Fenced(f"{self._topic}: not at {[(p, self._positions[p]) for p in moves]} any more")
        return {table: len(rows) for table, rows in tables.items()}

    def _sift(self, batch: Sequence[Entry[Placed]], cause: str) -> list[tuple[Entry[Placed], str]]:
        """Return the entries of a refused batch that are refused alone, by halves; nothing is written."""
        if len(batch) == 1:
            return [(batch[0], cause)] if batch[0].item is not None else []
        refused: list[tuple[Entry[Placed], str]] = []
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            said = self._refusal(half)
            if said is not None:
                refused += self._sift(half, said)
        return refused

    def _refusal(self, batch: Sequence[Entry[Placed]]) -> str | None:
        """Return why these entries are refused, None where they would be taken."""
        try:
            tables = self._project(batch).tables()
            with self._store.session() as connection, connection.transaction(force_rollback=True):
                for table, rows in tables.items():
                    connection.execute(query(table), columns(rows))
        except RowRefused as error:
            return str(error)
        return None
