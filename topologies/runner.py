"""A stage made executable: bytes in, bytes out. The same for Faust, the test driver and a backtest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from schemas import codec
from schemas.letter import CAUSE_LIMIT, letter
from schemas.topics import GENERATION, MAX_RECORD_BYTES, TOPICS
from streams.clock import CLOCK, LastTick, Tick, TimerFired, fired
from streams.config.changes import ProjectChanged, RulesChanged
from streams.decision import UNCHANGED, Rejected, reject
from streams.envelope import Envelope
from streams.frozen import replace
from streams.outcomes import Receipt
from streams.parked import Parked, UnparkCase, parked_key
from streams.receipts import settle
from streams.stage import Fact, Handled
from topologies.batch_rows import AlreadyFolded, BatchRows, Recent, Row, UnreadableRow
from topologies.graph import Stage
from topologies.guard import Guard
from topologies.outputs import Outputs
from topologies.partition import partition_of
from topologies.step import ROWS_LIMIT, Outgoing, Record, RowReader, Step, size_of
from topologies.ticking import FIRED_PER_TICK, LAST_TICK, STRIDE, BatchTimers, missed
from topologies.timers import Timer, is_timer_key, named, timer_key

DeadLetterCause = Callable[[str, str], None]

FOLD_FAILED: Final = "fold_failed"
PARKED: Final = "case_parked"
IS_PARKED: Final = "the case is parked"
"""The cause of a letter that follows the one which parked its case."""
ASTRAY: Final = "wrong_partition"
MISNAMED: Final = "the key is not that of"
TOO_LARGE: Final = "command.too_large"
# A tuple, as making a union takes longer than asking for it.
_CONFIGURATION: Final = (ProjectChanged, RulesChanged)


class Poisoned(Exception):  # noqa: N818 - it is a finding, raised and caught here
    """A record that cannot be folded, with the cause in words."""


@dataclass(slots=True)
class _Taken:
    """A record that could be read. main: the key of the row that guards it. command_id: 16 bytes. step: of a timer, which
    one it is of those that its tick, whose record this is, lets fire; from 1.
    """

    record: Record
    key: str
    main: str
    command_id: bytes
    envelope: Envelope
    body: Any
    step: int = 0


class StageFold:
    """Folds batches of one stage. Holds no state between batches: rows are the caller's.

    partitions: of every topic, over which keys and broadcasts are spread. on_dead: told (stage, cause) of each dead
    letter.
    fired_per_tick: how many timers of a partition one tick lets fire at most.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        partitions: int,
        generation: int = GENERATION,
        on_dead: DeadLetterCause | None = None,
        fired_per_tick: int = FIRED_PER_TICK,
    ) -> None:
        self.stage = stage
        self.partitions = partitions
        self.generation = generation
        self.fired_per_tick = fired_per_tick
        self.logic = stage.logic()
        self.bodies = frozenset(TOPICS[stage.reads].bodies) if stage.reads in TOPICS else None
        self.recent = Recent()
        self.died = on_dead or (lambda _stage, _cause: None)

    @property
    def name(self) -> str:
        return self.stage.name

    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step:
        batch = _Batch(self, partition, rows)
        for n, record in enumerate(records, 1):
            batch.take(record)
            if len(batch.step.fired) >= self.fired_per_tick:
                # After an outage each tick lets as many fire, and hundreds of ticks come at once.
                batch.step.left = len(records) - n
                break
        return batch.step


class _Batch:
    """One batch of one partition, record by record. A record adds to the step all of its effects, or none."""

    def __init__(self, fold: StageFold, partition: int, rows: RowReader) -> None:
        self.fold = fold
        self.stage = fold.stage
        self.logic = fold.logic
        self.partition = partition
        self.rows = BatchRows(rows, fold.recent, partition)
        self.timers = BatchTimers(rows)
        self.outputs = Outputs(fold.stage, fold.partitions, partition, fold.generation)
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
            if isinstance(taken.body, Tick):
                self._tick(taken)
            elif guard.past(*self.rows.at) or guard.repeated(taken.envelope.origin, taken.command_id):
                self.step.skipped += 1
            elif self._astray(taken):
                self._bury(record, f"{ASTRAY}: the key belongs to another partition, by murmur2")
                self._dead_lettered(taken, ASTRAY)
            elif self.stage.parks and isinstance(taken.body, UnparkCase):
                self._apply(taken, self._unparked(taken))
            elif self.stage.parks and self.rows.get(parked_key(taken.main), Parked) is not None:
                self._bury(record, IS_PARKED)
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
        if isinstance(body, Tick) and self.stage.ticks and key == CLOCK == envelope.aggregate_id:
            return _Taken(record, key, LAST_TICK, b"", envelope, body)
        if decoded.after is not None:
            body = Fact(event=body, after=decoded.after)
        tenant_id, aggregate_id = envelope.tenant_id, envelope.aggregate_id
        if self.stage.by_tenant or isinstance(body, _CONFIGURATION):
            named = key == tenant_id == aggregate_id
        else:
            named = key == f"{tenant_id}/{aggregate_id}"
        if not named or not tenant_id:
            raise Poisoned(f"{MISNAMED} {aggregate_id!r} of tenant {tenant_id!r}")
        command_id = bytes.fromhex(envelope.id.replace("-", ""))
        if len(command_id) != 16:
            raise Poisoned(f"the id {envelope.id!r} is not a UUID")
        main = self.logic.main_key(key, envelope, body)
        if self.stage.ticks and is_timer_key(main):
            raise Poisoned(f"the key {main!r} is that of a timer")
        return _Taken(record, key, main, command_id, envelope, body)

    def _tick(self, taken: _Taken) -> None:
        """Let the timers fire that are due, the oldest first. Begun before and broken off, it goes on where it was."""
        at, place = taken.body.at, (self.fold.generation, taken.record.offset)
        row = self.rows.row(LAST_TICK)
        if missed(row.guard, row.state, at, place):
            self.step.skipped += 1
            return
        again = (row.guard.generation, row.guard.offset) == place
        count = begun = row.guard.step if again else 0
        for key, timer in self.timers.due(at, place):
            if count >= self.fold.fired_per_tick:
                break
            count += 1
            self._fire(taken, key, timer, count)
        if not again:
            self.step.folded += 1
            if count == begun:
                name, encoded, parts = self._ticked(taken, at, 0)
                self.step.rows.append(((name.encode(), encoded),))
                self.rows.put(name, encoded, parts)

    def _ticked(self, taken: _Taken, at: int, step: int) -> tuple[str, bytes, Row]:
        """Return the row that says how far a tick is."""
        guard, state = Guard(self.fold.generation, taken.record.offset, step=step), LastTick(at=at)
        raw = codec.encode_row(state)
        return LAST_TICK, guard.encode(raw), Row(guard, raw, there=True, state=state, decoded=True)

    def _fire(self, tick: _Taken, timer_row: bytes, timer: Timer, step: int) -> None:
        """Fold one timer that is due. Whatever becomes of it, it is not pending any more."""
        key, name = named(timer_row)
        assert timer.due is not None
        at = tick.body.at
        envelope = fired(
            stage=self.stage.name,
            key=key,
            name=name,
            due=timer.due,
            at=at,
            cause=str(UUID(bytes=timer.cause)),
            chain=str(UUID(bytes=timer.chain)),
        )
        body = TimerFired(name=name, due=timer.due)
        command_id = bytes.fromhex(envelope.id.replace("-", ""))
        record = Record(tick.record.offset, key.encode(), None)
        taken = _Taken(record, key, key, command_id, envelope, body, step)
        self.rows.at = (self.fold.generation, record.offset, step)
        self.step.fired.append(timer.due)
        try:
            if self.stage.parks and self.rows.get(parked_key(key), Parked) is not None:
                raise Poisoned("the case is parked")
            handled = self.logic.handle(key, envelope, body, self.rows)
            self._apply(taken, replace(handled, timers={name: None, **handled.timers}))
        except UnreadableRow:
            raise
        except Exception as error:  # noqa: BLE001 - as for a record: it would raise again, and the other timers go on
            self._bury(record._replace(value=codec.encode(envelope, body)), _words(error))
            self._let_go(taken, name)

    def _let_go(self, taken: _Taken, name: str) -> None:
        """Write that a timer is not pending any more, and nothing else."""
        key, timer = timer_key(taken.main, name).encode(), self._timer(taken, None)
        clock, row, parts = self._ticked(taken, taken.envelope.occurred_at // 1_000, taken.step)
        self.step.rows.append(((key, timer.encode()), (clock.encode(), row)))
        self.timers.put(key, timer)
        self.rows.put(clock, row, parts)

    def _timer(self, taken: _Taken, due: int | None) -> Timer:
        """Return a timer as this record sets it; its cause is the record, of whose chain it will be."""
        place = (self.fold.generation, taken.record.offset, taken.step)
        if due is None:
            return Timer(*place, None)
        if due < 0:
            raise ValueError(f"a timer that is due at {due}")
        chain = _id_of(taken.envelope.correlation_id) or taken.command_id
        return Timer(*place, due, taken.command_id, chain)

    def _timers(self, taken: _Taken, timers: Mapping[str, int | None]) -> list[tuple[bytes, Timer]]:
        """Return the timers that change. One that is cancelled and was never set leaves no row."""
        if timers and not (self.stage.ticks and taken.main == taken.key):
            raise ValueError("a timer can be set on the row of the record's key, by a stage that ticks")
        changed = []
        for name, due in timers.items():
            key = timer_key(taken.main, name).encode()
            held = self.timers.get(key)
            if due is not None or (held is not None and held.due is not None):
                changed.append((key, self._timer(taken, due)))
        return changed

    def _astray(self, taken: _Taken) -> bool:
        """Whether a key would have its row here, and another one in the partition where it belongs.

        Configuration is in every partition. A row that is here was looked at when it was made: hashing costs as much as
        a tenth of a fold.
        """
        if self.rows.row(taken.main).there or isinstance(taken.body, _CONFIGURATION):
            return False
        return partition_of(taken.record.key or b"", self.fold.partitions) != self.partition

    def _apply(self, taken: _Taken, handled: Handled, *, refusable: bool = True) -> None:
        """Encode everything first: nothing is added to the step unless all of it can be."""
        outputs = self._begun(taken)
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
        timers = self._timers(taken, handled.timers) if handled.timers else ()
        changed = self._changed(taken, handled, framed)
        group = (*((name.encode(), row) for name, row, _ in changed), *((key, t.encode()) for key, t in timers))
        if refusable and (outputs.largest > MAX_RECORD_BYTES or size_of(group) > ROWS_LIMIT):
            if taken.step or self.stage.events is None:
                raise Poisoned(f"{TOO_LARGE}: nobody waits for an answer that could say so")
            self._apply(taken, self._too_large(taken, max(outputs.largest, size_of(group))), refusable=False)
            return
        self.step.broadcasts += outputs.broadcasts
        self.step.sends += outputs.sends
        # Timers that fire are counted by themselves.
        self.step.folded += not taken.step
        if group:
            self.step.rows.append(group)
        for name, row, parts in changed:
            self.rows.put(name, row, parts)
        for key, timer in timers:
            self.timers.put(key, timer)

    def _changed(self, taken: _Taken, handled: Handled, framed: bytes | None) -> list[tuple[str, bytes, Row]]:
        """Return the rows that change, the main one first. framed: the encoded main row, where an event has it."""
        main = self.rows.row(taken.main)
        if not (main.there or handled.row is not None or handled.rows or handled.events or handled.timers) and (
            self.logic.carried(taken.envelope, taken.body) is None
        ):
            # Nothing to guard: said again, it comes to the same, as what it was decided on has guards of its own. A
            # row for each unknown key that was ever named would never go away. But a signal has its receipt by now,
            # and must not become anything else when its sender says it again.
            return []
        generation, offset = self.fold.generation, taken.record.offset
        if taken.step or isinstance(taken.body, Fact):
            guard = main.guard.at(generation, offset, taken.step)
        else:
            guard = main.guard.after(generation, offset, taken.envelope.origin, taken.command_id)
        if handled.row is None:
            after = main.guarded(guard)
        else:
            after = Row(guard, framed or codec.encode_row(handled.row), there=True, state=handled.row, decoded=True)
        changed: list[tuple[str, bytes, Row]] = [(taken.main, guard.encode(after.raw), after)]
        own = Guard(generation, offset, step=taken.step)
        for name, sub in handled.rows.items():
            # A row that goes leaves its guard: a removal without a version, written late by a worker that was stopped,
            # would take a newer row with it, and a late row would bring back what is gone.
            raw = b"" if sub is None else codec.encode_row(sub)
            changed.append((name, own.encode(raw), Row(own, raw, there=True, state=sub, decoded=True)))
        if taken.step:
            changed.append(self._ticked(taken, taken.envelope.occurred_at // 1_000, taken.step))
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

    def _begun(self, taken: _Taken) -> Outputs:
        record, outputs = taken.record, self.outputs
        outputs.begin(record.offset, record.key or b"", taken.envelope, taken.command_id, taken.step * STRIDE)
        return outputs

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
            outputs = self._begun(taken)
            outputs.forward(0, settle(taken.envelope.tenant_id, carried, Receipt.DEAD_LETTERED, reason))
            self.step.sends += outputs.sends

    def _bury(self, record: Record, cause: str) -> None:
        kept = letter(self.stage.reads, self.partition, record.offset, record.key, record.value, cause)
        self.step.sends.append(Outgoing(self.stage.dead_letters, self.partition, *kept))
        self.step.dead += 1
        self.fold.died(self.stage.name, cause)


def _id_of(text: str) -> bytes | None:
    """Return an id as 16 bytes, None where it is not one: some that come from outside are any text."""
    try:
        return UUID(text).bytes
    except ValueError:
        return None


def _words(error: Exception) -> str:
    """Return what went wrong, as text that any encoding takes."""
    return f"{type(error).__name__}: {error}".encode(errors="replace").decode()[:CAUSE_LIMIT]
