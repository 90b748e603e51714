"""The rows of a stage as they were at its committed offset, made from what its topics still hold. Pure: knows no engine.

States come from the events, which are kept for ever. Guards come from the commands that the topic still has, one by one by
the same rules by which they were folded, and for what is older from the events' causes. Commands from the committed offset on
are left out with all that they led to: folded again on these rows they come to the same records, as after any crash.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from schemas import codec
from schemas.codec import Decoded
from schemas.topics import GENERATION, TOPICS
from streams.config.changes import ProjectChanged, RulesChanged
from streams.envelope import Envelope, Origin
from streams.frozen import replace
from streams.outcomes import Receipt, SignalSettled
from streams.parked import Parked, UnparkCase, parked_key
from topologies.graph import Stage
from topologies.guard import REMEMBERED, Guard
from topologies.runner import ASTRAY, IS_PARKED
from topologies.step import Record, RowGroup

Get = Callable[[str], bytes | None]


class Effects(Protocol):
    """What an event says of a stage's rows.

    `of(key, event, get)` returns (row name, state as framed by the codec, empty where it goes) of each row that changes.
    key: of the event's record. get: the state of a row before it, None where there is none.
    """

    def of(self, key: str, event: Decoded, get: Get, /) -> list[tuple[str, bytes]]: ...

    def told(self, body: Any, /) -> bytes | None:
        """Return the state of the main row that a record itself carries: configuration. None for all others."""


class Buried(NamedTuple):
    """A dead letter of the stage's own group. at: where its record stood. pending: neither redriven nor given up."""

    at: int
    key: bytes | None
    value: bytes | None
    cause: str
    pending: bool


@dataclass(slots=True)
class _Said:
    """A command that the topic still has and that was folded, or passed over as a repetition, or that parked its row."""

    offset: int
    command_id: str
    origin: Origin | None
    carried: bool
    unparks: bool
    told: bytes | None = None
    parked: Parked | None = None


@dataclass(slots=True)
class _Aggregate:
    """What is known of a key. states: by row name, with the id of the command that led to it. recent: see `Guard`.
    later: events of commands that were not folded as far as the commit goes.
    """

    states: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    old: bool = False
    later: list[Decoded] = field(default_factory=list)
    said: list[_Said] = field(default_factory=list)
    parked: Parked | None = None


class Refold:
    """One partition of one stage. Told of all dead letters, then of all commands that there are, then of all events, each in
    order; then it has the rows. A command that was said twice, and whose first time is gone, counts as of its second.

    start: the first offset that the topic of commands still has. committed: the stage's next offset, not below that.
    faults: where the log is not what it should be; nothing may be written then. unread: events that nobody can decode.
    causes: of the configuration that the topic still has, the commands that led to it.
    """

    def __init__(
        self, stage: Stage, effects: Effects, *, start: int, committed: int, generation: int = GENERATION
    ) -> None:
        if committed < start:
            raise ValueError(f"offset {committed} is before the log's start {start}")
        self.stage = stage
        self.faults: list[str] = []
        self.unread: list[str] = []
        self._effects = effects
        self._logic = stage.logic()
        self._start = start
        self._committed = committed
        self._generation = generation
        self._bodies: Final = frozenset(TOPICS[stage.reads].bodies)
        self._buried: dict[int, list[Buried]] = defaultdict(list)
        self._folded: dict[str, int] = {}
        self._later: set[str] = set()
        self._led: set[str] = set()
        self._keys: dict[str, _Aggregate] = defaultdict(_Aggregate)
        self.causes: set[str] = set()

    def buried(self, letter: Buried) -> None:
        """Take in a dead letter."""
        if letter.at >= self._start:
            self._buried[letter.at].append(letter)
            return
        read = self._read(letter.key, letter.value)
        if letter.pending and read is not None and self._parks(letter, read.body):
            key = (letter.key or b"").decode()
            self._keys[key].parked = self._keys[key].parked or Parked(cause=letter.cause, offset=letter.at)

    def command(self, record: Record) -> None:
        """Take in a record of the topic that the stage reads."""
        read = self._read(record.key, record.value)
        if read is None:
            return
        envelope, body = read.envelope, read.body
        key, told = self._logic.main_key((record.key or b"").decode(), envelope, body), self._effects.told(body)
        if told is not None:
            self.causes.add(envelope.causation_id or "")
        if record.offset >= self._committed:
            self._later.add(envelope.id)
            return
        letter = self._letter(record)
        parked = None
        if letter is not None:
            if not self._parks(letter, body):
                return
            parked = Parked(cause=letter.cause, offset=record.offset)
        else:
            self._folded.setdefault(envelope.id, record.offset)
        self._keys[key].said.append(
            _Said(
                offset=record.offset,
                command_id=envelope.id,
                origin=envelope.origin,
                carried=self._logic.carried(envelope, body) is not None,
                unparks=isinstance(body, UnparkCase),
                told=told,
                parked=parked,
            )
        )

    def told(self, key: str, state: bytes) -> None:
        """Take in configuration from before the commands that are there. key: of its row."""
        row = self._keys[key]
        row.states[key] = (state, "")
        row.old = True

    def event(self, record: Record, where: str) -> None:
        """Take in a record of the stage's events. where: how a person finds it."""
        try:
            event = codec.decode(record.value)
            key = (record.key or b"").decode()
        except codec.UnknownSchema as error:
            self.faults.append(f"{where}: {error}, so a newer program wrote it: upgrade this one first")
            return
        except (codec.Undecodable, UnicodeDecodeError) as error:
            self.unread.append(f"{where}: {error}")
            return
        envelope = event.envelope
        if envelope.source != self.stage.source or envelope.causation_id is None:
            return
        if not self._named(key, envelope):
            self.unread.append(f"{where}: the key is not that of {envelope.aggregate_id}")
            return
        row = self._keys[key]
        if event.after is None:
            if isinstance(event.body, SignalSettled):
                self._settled(row, event.body, envelope)
            elif row.states:
                self._remember(row, envelope)
            return
        version, held = envelope.version or 0, row.versions.get(envelope.aggregate_id, 0)
        if version <= held:
            return
        if envelope.causation_id in self._later and envelope.causation_id not in self._folded:
            row.later.append(event)
            return
        # What comes before something that was folded was folded too, if long ago: its command was said again since.
        for earlier in row.later:
            self._apply(key, row, earlier, where)
        row.later.clear()
        self._apply(key, row, event, where)

    def _apply(self, key: str, row: _Aggregate, event: Decoded, where: str) -> None:
        envelope = event.envelope
        version, held = envelope.version or 0, row.versions.get(envelope.aggregate_id, 0)
        if version <= held:
            return
        if version != held + 1:
            self.faults.append(f"{where}: {key} has version {version}, expected {held + 1}")
        row.versions[envelope.aggregate_id] = version
        cause = envelope.causation_id or ""

        def get(name: str) -> bytes | None:
            state = row.states.get(name)
            return None if state is None else state[0]

        for name, state in self._effects.of(key, event, get):
            row.states[name] = (state, cause)
        self._led.add(cause)
        self._remember(row, envelope)

    def _settled(self, row: _Aggregate, settled: SignalSettled, envelope: Envelope) -> None:
        """Note a signal that ended in this stage without an event. Its receipt is one deeper, as a record for others is."""
        if settled.receipt is not Receipt.DEAD_LETTERED:
            self._remember(row, replace(envelope, depth=envelope.depth - 1))

    def _remember(self, row: _Aggregate, envelope: Envelope) -> None:
        """Note the cause of an event, where its command is not in the topic any more."""
        cause = envelope.causation_id or ""
        if cause in self._folded or cause in self._later:
            return
        row.old = True
        # Depth 0: nobody but the edge says a command that no other led to.
        if envelope.depth == 0 and cause not in row.recent:
            row.recent.append(cause)

    def rows(self) -> Iterator[tuple[str, RowGroup]]:
        """Return each key with its rows, the main one last: written in this order, it never says more than is there."""
        for key in sorted(self._keys):
            row = self._keys[key]
            guard, parked, states = self._guard(key, row)
            group: list[tuple[bytes, bytes | None]] = []
            for name, (state, cause) in sorted(row.states.items()):
                if name != key:
                    at = self._folded.get(cause, self._start - 1)
                    group.append((name.encode(), Guard(self._generation, at).encode(state)))
            if parked is not None:
                at, mark = parked
                raw = b"" if mark is None else codec.encode_row(mark)
                group.append((parked_key(key).encode(), Guard(self._generation, at).encode(raw)))
            if guard is not None:
                group.append((key.encode(), guard.encode(states)))
            if group:
                yield key, tuple(group)

    def _guard(self, key: str, row: _Aggregate) -> tuple[Guard | None, tuple[int, Parked | None] | None, bytes]:
        """Say the commands again: only who repeats whom is decided, what they led to is known."""
        state, _ = row.states.get(key, (b"", ""))
        guard: Guard | None = None
        if row.old:
            recent = tuple(bytes.fromhex(said.replace("-", "")) for said in row.recent)
            guard = Guard(self._generation, self._start - 1, {}, recent)
        mark: tuple[int, Parked | None] | None = None if row.parked is None else (row.parked.offset, row.parked)
        for said in row.said:
            if said.parked is not None:
                mark = (said.offset, said.parked)
                continue
            command_id = bytes.fromhex(said.command_id.replace("-", ""))
            before = guard or Guard()
            if before.repeated(said.origin, command_id):
                continue
            unparks = said.unparks and mark is not None and mark[1] is not None
            if unparks:
                mark = (said.offset, None)
            if said.told is not None:
                state = said.told
            elif guard is None and not (unparks or said.carried or said.command_id in self._led):
                # As in the fold: where nothing is, a command that leads to nothing leaves no row.
                continue
            guard = before.after(self._generation, said.offset, said.origin, command_id)
        return guard, mark, state

    def _read(self, key: bytes | None, value: bytes | None) -> Decoded | None:
        """Return a command, None where the stage could not read it either."""
        try:
            read = codec.decode(value)
            name, envelope = (key or b"").decode(), read.envelope
            named = self._named(name, envelope)
            if self.stage.by_tenant or isinstance(read.body, ProjectChanged | RulesChanged):
                named = name == envelope.tenant_id == envelope.aggregate_id
            size = len(bytes.fromhex(read.envelope.id.replace("-", "")))
        except (codec.Undecodable, ValueError):
            return None
        return read if named and size == 16 else None

    def _named(self, key: str, envelope: Envelope) -> bool:
        return key == (envelope.tenant_id if self.stage.by_tenant else f"{envelope.tenant_id}/{envelope.aggregate_id}")

    def _letter(self, record: Record) -> Buried | None:
        """Return the letter of this very record: one of an earlier topic of this name may say the same offset."""
        for letter in self._buried.get(record.offset, ()):
            if _begins(record.key, letter.key) and _begins(record.value, letter.value):
                return letter
        return None

    def _parks(self, letter: Buried, body: Any) -> bool:
        """Whether this letter is of a record that could not be folded, and not of one that followed it."""
        if not self.stage.parks or letter.cause == IS_PARKED or letter.cause.startswith(ASTRAY):
            return False
        return type(body) in self._bodies


def _begins(whole: bytes | None, part: bytes | None) -> bool:
    """Whether a letter's part may be of this: of what is too large, a letter has the beginning only."""
    return (whole or b"").startswith(part or b"")
