"""A stage made executable: bytes in, bytes out. The same for Faust, the test driver and a backtest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas import codec
from schemas.topics import GENERATION, MAX_RECORD_BYTES, TOPICS
from streams.config.changes import ProjectChanged, RulesChanged
from streams.decision import UNCHANGED, Rejected, reject
from streams.envelope import Envelope
from streams.outcomes import Receipt
from streams.parked import Parked, UnparkCase, parked_key
from streams.receipts import settle
from streams.stage import Handled
from topologies.batch_rows import AlreadyFolded, BatchRows, Recent, Row, UnreadableRow
from topologies.graph import Stage
from topologies.guard import Guard
from topologies.outputs import Outputs
from topologies.partition import partition_of
from topologies.step import ROWS_LIMIT, Outgoing, Record, RowReader, Step, size_of

DeadLetterCause = Callable[[str, str], None]

FOLD_FAILED: Final = "fold_failed"
PARKED: Final = "case_parked"
ASTRAY: Final = "wrong_partition"
TOO_LARGE: Final = "command.too_large"
_CAUSE_LIMIT: Final = 1000


class Poisoned(Exception):  # noqa: N818 - it is a finding, raised and caught here
    """A record that cannot be folded, with the cause in words."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A record that could be read. main: the key of the row that guards it. command_id: 16 bytes."""

    record: Record
    key: str
    main: str
    command_id: bytes
    envelope: Envelope
    body: Any


class StageFold:
    """Folds batches of one stage. Holds no state between batches: rows are the caller's.

    partitions: of every topic, over which keys and broadcasts are spread. on_dead: told (stage, cause) of each dead
    letter.
    """

    def __init__(
        self, stage: Stage, *, partitions: int, generation: int = GENERATION, on_dead: DeadLetterCause | None = None
    ) -> None:
        self.stage = stage
        self.partitions = partitions
        self.generation = generation
        self.logic = stage.logic()
        self.bodies = frozenset(TOPICS[stage.reads].bodies) if stage.reads in TOPICS else None
        self.recent = Recent()
        self.died = on_dead or (lambda _stage, _cause: None)

    @property
    def name(self) -> str:
        return self.stage.name

    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step:
        batch = _Batch(self, partition, rows)
        for record in records:
            batch.take(record)
        return batch.step


class _Batch:
    """One batch of one partition, record by record. A record adds to the step all of its effects, or none."""

    def __init__(self, fold: StageFold, partition: int, rows: RowReader) -> None:
        self.fold = fold
        self.stage = fold.stage
        self.logic = fold.logic
        self.partition = partition
        self.rows = BatchRows(rows, fold.recent)
        self.step = Step()

    def take(self, record: Record) -> None:
        try:
            taken = self._read(record)
        except Exception as error:  # noqa: BLE001 - whatever a foreign record does to us, the rest flows
            self._bury(record, _words(error))
            return
        self.rows.at = (self.fold.generation, record.offset)
        try:
            guard = self.rows.row(taken.main).guard
            if guard.past(*self.rows.at) or guard.repeated(taken.envelope.origin, taken.command_id):
                self.step.skipped += 1
            elif self._astray(taken):
                self._bury(record, f"{ASTRAY}: the key belongs to another partition, by murmur2")
                self._dead_lettered(taken, ASTRAY)
            elif self.stage.parks and isinstance(taken.body, UnparkCase):
                self._apply(taken, self._unparked(taken))
            elif self.stage.parks and self.rows.get(parked_key(taken.main), Parked) is not None:
                self._bury(record, "the case is parked")
                self._dead_lettered(taken, PARKED)
            else:
                self._apply(taken, self.logic.handle(taken.key, taken.envelope, taken.body, self.rows))
        except AlreadyFolded:
            self.step.skipped += 1
        except UnreadableRow:
            # Not the record's fault: the process ends, and nothing of this batch counts.
            raise
        except Exception as error:  # noqa: BLE001 - a pure fold that raises would raise again: not tried again
            self._raised(taken, _words(error))

    def _read(self, record: Record) -> _Taken:
        decoded = codec.decode(record.value)
        envelope, body = decoded.envelope, decoded.body
        key = (record.key or b"").decode()
        tenant_id, aggregate_id = envelope.tenant_id, envelope.aggregate_id
        if self.stage.by_tenant or isinstance(body, ProjectChanged | RulesChanged):
            named = key == tenant_id == aggregate_id
        else:
            named = key == f"{tenant_id}/{aggregate_id}"
        if not named or not tenant_id:
            raise Poisoned(f"the key is not that of {aggregate_id!r} of tenant {tenant_id!r}")
        command_id = bytes.fromhex(envelope.id.replace("-", ""))
        if len(command_id) != 16:
            raise Poisoned(f"the id {envelope.id!r} is not a UUID")
        return _Taken(record, key, self.logic.main_key(key, envelope, body), command_id, envelope, body)

    def _astray(self, taken: _Taken) -> bool:
        """Whether a key would have its row here, and another one in the partition where it belongs.

        Configuration is in every partition. A row that is here was looked at when it was made: hashing costs as much as
        a tenth of a fold.
        """
        if self.rows.row(taken.main).there or isinstance(taken.body, ProjectChanged | RulesChanged):
            return False
        return partition_of(taken.record.key or b"", self.fold.partitions) != self.partition

    def _apply(self, taken: _Taken, handled: Handled, *, refusable: bool = True) -> None:
        """Encode everything first: nothing is added to the step unless all of it can be."""
        outputs = self._outputs(taken)
        framed: bytes | None = None
        last = len(handled.events) - 1
        for n, event in enumerate(handled.events):
            after = codec.encode_row(event.after)
            outputs.event(n, event, after, last=n == last)
            if event.after is handled.row:
                framed = after
        if handled.answer is not None:
            outputs.answer(handled.answer, taken.body)
        for n, forward in enumerate(handled.forwards):
            outputs.forward(n, forward)
        changed = self._changed(taken, handled, framed)
        group = tuple((name.encode(), row) for name, row, _ in changed)
        if refusable and (outputs.largest > MAX_RECORD_BYTES or size_of(group) > ROWS_LIMIT):
            self._apply(taken, self._too_large(taken, max(outputs.largest, size_of(group))), refusable=False)
            return
        self.step.broadcasts += outputs.broadcasts
        self.step.sends += outputs.sends
        self.step.folded += 1
        if group:
            self.step.rows.append(group)
        for name, row, parts in changed:
            self.rows.put(name, row, parts)

    def _changed(self, taken: _Taken, handled: Handled, framed: bytes | None) -> list[tuple[str, bytes, Row]]:
        """Return the rows that change, the main one first. framed: the encoded main row, where an event has it."""
        main = self.rows.row(taken.main)
        if not (main.there or handled.row is not None or handled.rows or handled.events) and (
            self.logic.carried(taken.envelope, taken.body) is None
        ):
            # Nothing to guard: said again, it comes to the same, as what it was decided on has guards of its own. A
            # row for each unknown key that was ever named would never go away. But a signal has its receipt by now,
            # and must not become anything else when its sender says it again.
            return []
        generation, offset = self.fold.generation, taken.record.offset
        guard = main.guard.after(generation, offset, taken.envelope.origin, taken.command_id)
        if handled.row is None:
            after = main.guarded(guard)
        else:
            after = Row(guard, framed or codec.encode_row(handled.row), there=True, state=handled.row, decoded=True)
        changed: list[tuple[str, bytes, Row]] = [(taken.main, guard.encode(after.raw), after)]
        own = Guard(generation, offset)
        for name, sub in handled.rows.items():
            # A row that goes leaves its guard: a removal without a version, written late by a worker that was stopped,
            # would take a newer row with it, and a late row would bring back what is gone.
            raw = b"" if sub is None else codec.encode_row(sub)
            changed.append((name, own.encode(raw), Row(own, raw, there=True, state=sub, decoded=True)))
        return changed

    def _too_large(self, taken: _Taken, size: int) -> Handled:
        """Refuse a record whose effects the broker would not take: sent, they would end the process, again and again."""
        carried = self.logic.carried(taken.envelope, taken.body)
        if carried is not None:
            return Handled(forwards=(settle(taken.envelope.tenant_id, carried, Receipt.REJECTED, TOO_LARGE),))
        answer: Rejected = reject(
            TOO_LARGE, f"it leads to {size} bytes; the limit is {min(MAX_RECORD_BYTES, ROWS_LIMIT)}"
        )
        return Handled(answer=answer)

    def _unparked(self, taken: _Taken) -> Handled:
        mark = parked_key(taken.main)
        parked = self.rows.get(mark, Parked) is not None
        # With the mark goes a new guard of the main row: read again, the records that were buried are passed over.
        return Handled(answer=UNCHANGED, rows={mark: None} if parked else {})

    def _outputs(self, taken: _Taken) -> Outputs:
        return Outputs(
            self.stage,
            self.fold.partitions,
            self.partition,
            self.fold.generation,
            taken.record.offset,
            taken.key.encode(),
            taken.envelope,
        )

    def _raised(self, taken: _Taken, cause: str) -> None:
        self._bury(taken.record, cause)
        self._dead_lettered(taken, FOLD_FAILED)
        if self.stage.parks and (self.fold.bodies is None or type(taken.body) in self.fold.bodies):
            # What is not a record of this topic says nothing about the case that its key names.
            guard = Guard(self.fold.generation, taken.record.offset)
            mark = Parked(cause=cause, offset=taken.record.offset)
            raw = codec.encode_row(mark)
            row, name = guard.encode(raw), parked_key(taken.main)
            self.rows.put(name, row, Row(guard, raw, there=True, state=mark, decoded=True))
            self.step.rows.append(((name.encode(), row),))

    def _dead_lettered(self, taken: _Taken, reason: str) -> None:
        """A signal ends here all the same, and whoever sent it can see that."""
        carried = self.logic.carried(taken.envelope, taken.body)
        if carried is not None:
            outputs = self._outputs(taken)
            outputs.forward(0, settle(taken.envelope.tenant_id, carried, Receipt.DEAD_LETTERED, reason))
            self.step.sends += outputs.sends

    def _bury(self, record: Record, cause: str) -> None:
        headers = (
            ("topic", self.stage.reads.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(record.offset).encode()),
            ("error", cause.encode()),
        )
        self.step.sends.append(Outgoing(self.stage.dead_letters, self.partition, record.key, record.value, headers))
        self.step.dead += 1
        self.fold.died(self.stage.name, cause)


def _words(error: Exception) -> str:
    """Return what went wrong, as text that any encoding takes."""
    return f"{type(error).__name__}: {error}".encode(errors="replace").decode()[:_CAUSE_LIMIT]
