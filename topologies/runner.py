"""A stage made executable: bytes in, bytes out. The same for Faust, the test driver and a backtest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from schemas import codec
from schemas.topics import GENERATION
from streams.alerts.commands import RecordSignal
from streams.decision import Rejected, Unchanged
from streams.envelope import Envelope, Origin
from streams.outcomes import CommandRejected, CommandUnchanged, Receipt, SignalSettled
from streams.parked import Parked, parked_key
from streams.stage import Forward, Handled
from streams.topics import ALERT_COMMANDS, ALERT_EVENTS
from topologies.graph import Stage
from topologies.guard import Guard, split
from topologies.step import Outgoing, Record, RowGroup, RowReader, Step

R = TypeVar("R")

DeadLetterCause = Callable[[str, str], None]


class Poisoned(Exception):  # noqa: N818 - it is a finding, raised and caught here
    """A record that cannot be folded, with the cause in words."""


class StageFold:
    """Folds batches of one stage. Holds no state between batches: rows are the caller's.

    partitions: of every topic, to which broadcasts go. on_dead: told (stage, cause) of each dead letter.
    """

    def __init__(
        self, stage: Stage, *, partitions: int, generation: int = GENERATION, on_dead: DeadLetterCause | None = None
    ) -> None:
        self.stage = stage
        self.partitions = partitions
        self.generation = generation
        self._logic = stage.logic()
        self._on_dead = on_dead or (lambda _stage, _cause: None)

    @property
    def name(self) -> str:
        return self.stage.name

    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step:
        batch = _Batch(self, partition, rows)
        for record in records:
            batch.take(record)
        return batch.step

    def handle(self, key: str, envelope: Envelope, body: Any, rows: _Rows) -> Handled:
        return self._logic.handle(key, envelope, body, rows)

    def main_key(self, key: str, envelope: Envelope, body: Any) -> str:
        return self._logic.main_key(key, envelope, body)

    def died(self, cause: str) -> None:
        self._on_dead(self.stage.name, cause)


class _Rows:
    """Rows by name, with those that this batch has changed already. States are decoded once a batch."""

    __slots__ = ("_states", "base", "guards", "values")

    def __init__(self, base: RowReader) -> None:
        self.base = base
        self.values: dict[bytes, bytes | None] = {}
        self.guards: dict[str, Guard] = {}
        self._states: dict[str, Any] = {}

    def value(self, key: str) -> bytes | None:
        raw = key.encode()
        return self.values[raw] if raw in self.values else self.base.get(raw)

    def guard(self, key: str) -> Guard:
        if key not in self.guards:
            row = self.value(key)
            self.guards[key] = Guard() if row is None else split(row)[0]
        return self.guards[key]

    def get(self, key: str, kind: type[R], /) -> R | None:
        state = self.state(key)
        if state is not None and not isinstance(state, kind):
            raise TypeError(f"row {key!r} is a {type(state).__name__}, not a {kind.__name__}")
        return state

    def state(self, key: str) -> Any:
        if key not in self._states:
            row = self.value(key)
            state = b"" if row is None else split(row)[1]
            self._states[key] = codec.decode_row(state) if state else None
        return self._states[key]

    def state_bytes(self, key: str) -> bytes:
        row = self.value(key)
        return b"" if row is None else split(row)[1]

    def put(self, key: str, row: bytes | None, guard: Guard, state: Any) -> tuple[bytes, bytes | None]:
        raw = key.encode()
        self.values[raw] = row
        self.guards[key] = guard if row is not None else Guard()
        self._states[key] = state
        return raw, row


class _Batch:
    """One batch of one partition, record by record."""

    def __init__(self, fold: StageFold, partition: int, rows: RowReader) -> None:
        self.fold = fold
        self.stage = fold.stage
        self.partition = partition
        self.rows = _Rows(rows)
        self.step = Step()

    def take(self, record: Record) -> None:
        try:
            decoded = codec.decode(record.value)
            key = (record.key or b"").decode()
            if not key:
                raise Poisoned("the record has no key")
            envelope, body = decoded.envelope, decoded.body
            if not key.startswith(envelope.tenant_id):
                raise Poisoned("the key names another tenant than the envelope")
            main = self.fold.main_key(key, envelope, body)
            command_id = bytes.fromhex(envelope.id.replace("-", ""))
        except Exception as error:  # noqa: BLE001 - whatever a foreign record does to us, the rest flows
            self._bury(record, f"{type(error).__name__}: {error}")
            return
        guard = self.rows.guard(main)
        if guard.past(self.fold.generation, record.offset) or guard.repeated(envelope.origin, command_id):
            self.step.skipped += 1
            return
        if self.stage.parks and self.rows.get(parked_key(main), Parked) is not None:
            self._bury(record, "the case is parked")
            return
        try:
            handled = self.fold.handle(key, envelope, body, self.rows)
            self._apply(record, key, main, guard, command_id, envelope, body, handled)
        except Exception as error:  # noqa: BLE001 - a pure fold that raises would raise again: not tried again
            self._raised(record, main, envelope, body, error)

    def _apply(
        self,
        record: Record,
        key: str,
        main: str,
        guard: Guard,
        command_id: bytes,
        envelope: Envelope,
        body: Any,
        handled: Handled,
    ) -> None:
        """Encode everything first: nothing is added to the step unless all of it can be."""
        raw_key = key.encode()
        sends: list[Outgoing] = []
        broadcasts: list[Outgoing] = []
        state = self.rows.state_bytes(main)
        main_after = handled.row
        changes = bool(handled.events)
        last = len(handled.events) - 1
        for n, event in enumerate(handled.events):
            framed = codec.encode_row(event.after)
            if event.after is handled.row:
                state = framed
                main_after = None
            value = codec.encode(
                envelope.about(event.aggregate_id).event(
                    n, version=event.version, source=f"stage.{self.stage.name}", last=n == last
                ),
                event.body,
                framed[codec.HEADER_SIZE :],
            )
            sends.append(Outgoing(self.stage.events, self.partition, raw_key, value))
            if self.stage.copies is not None:
                sends.append(Outgoing(self.stage.copies, self.partition, raw_key, value))
        if main_after is not None:
            state = codec.encode_row(main_after)
        answer = self._answer(handled.answer, envelope, body)
        if answer is not None:
            sends.append(Outgoing(self.stage.events, self.partition, raw_key, answer))
        for n, forward in enumerate(handled.forwards):
            self._forward(n, record, envelope, forward, broadcasts, sends)
        self.step.broadcasts += broadcasts
        self.step.sends += sends
        self.step.folded += 1
        if not (state or changes or handled.rows or self.rows.value(main) is not None):
            # Nothing to guard: said again, it comes to the same. A row for each unknown key would never go away.
            return
        after = guard.after(self.fold.generation, record.offset, envelope.origin, command_id)
        row_state = handled.row if handled.row is not None else self.rows.state(main)
        changed: list[tuple[str, bytes | None, Guard, Any]] = [(main, after.encode(state), after, row_state)]
        for name, sub in handled.rows.items():
            own = Guard(self.fold.generation, record.offset)
            changed.append((name, None if sub is None else own.encode(codec.encode_row(sub)), own, sub))
        group: RowGroup = tuple(self.rows.put(name, row, g, s) for name, row, g, s in changed)
        self.step.rows.append(group)

    def _answer(self, answer: Rejected | Unchanged | None, envelope: Envelope, body: Any) -> bytes | None:
        if answer is None:
            return None
        said = envelope.event(0, version=None, source=f"stage.{self.stage.name}", last=True)
        name = codec.name_of(body)
        if isinstance(answer, Unchanged):
            return codec.encode(said, CommandUnchanged(command=name))
        return codec.encode(
            said, CommandRejected(command=name, code=answer.code, detail=answer.detail, field=answer.field)
        )

    def _forward(
        self,
        n: int,
        record: Record,
        envelope: Envelope,
        forward: Forward,
        broadcasts: list[Outgoing],
        sends: list[Outgoing],
    ) -> None:
        origin = Origin(
            topic=self.stage.reads,
            generation=self.fold.generation,
            partition=self.partition,
            offset=record.offset,
            n=n,
        )
        made = envelope.command(
            n, aggregate_id=forward.aggregate_id, stage=self.stage.name, origin=origin, asks=forward.asks
        )
        value = codec.encode(made, forward.body)
        key = forward.key.encode()
        if forward.broadcast:
            broadcasts += [Outgoing(forward.topic, p, key, value) for p in range(self.fold.partitions)]
        else:
            sends.append(Outgoing(forward.topic, None, key, value))

    def _raised(self, record: Record, main: str, envelope: Envelope, body: Any, error: Exception) -> None:
        cause = f"{type(error).__name__}: {error}"
        self._bury(record, cause)
        if self.stage.parks:
            guard = Guard(self.fold.generation, record.offset)
            mark = Parked(cause=cause[:1000], offset=record.offset)
            row = guard.encode(codec.encode_row(mark))
            self.step.rows.append((self.rows.put(parked_key(main), row, guard, mark),))
        if self.stage.reads == ALERT_COMMANDS and isinstance(body, RecordSignal):
            settled = SignalSettled(signal_id=envelope.id, receipt=Receipt.DEAD_LETTERED, reason="fold_failed")
            said = envelope.event(0, version=None, source=f"stage.{self.stage.name}", last=True)
            self.step.sends.append(Outgoing(ALERT_EVENTS, self.partition, record.key, codec.encode(said, settled)))

    def _bury(self, record: Record, cause: str) -> None:
        headers = (
            ("topic", self.stage.reads.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(record.offset).encode()),
            ("error", cause[:1000].encode()),
        )
        self.step.sends.append(Outgoing(self.stage.dead_letters, self.partition, record.key, record.value, headers))
        self.step.dead += 1
        self.fold.died(cause)
