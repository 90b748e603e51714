"""What a stage is in the pure core: one record and the rows it names in, rows and records out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from streams.decision import Rejected, Unchanged
from streams.envelope import Envelope
from streams.frozen import quick

R = TypeVar("R")


class Rows(Protocol):
    """The rows of the record's own partition, by full key. What a handler reads here it reads by name."""

    def get(self, key: str, kind: type[R], /) -> R | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A signal on its way, and the alert that it is about. Whatever becomes of its record, it is owed a receipt."""

    signal_id: str
    alert_id: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event to append: what happened, and the whole public state after it."""

    body: Any
    after: Any
    version: int
    aggregate_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event of another stage, as one that copies them reads it: what happened, and the whole public state after it.

    Its envelope has the version, by which a logic knows one that it has seen: events carry no origin.
    """

    event: Any
    after: Any


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A record for another stage or reader.

    asks: its outcome answers the caller of this command. broadcast: to every partition of the topic, and acked
    before the stage's own events are sent. actor: who does it, where that is not who did what it follows from; then the
    grant of that one does not go along.
    """

    topic: str
    key: str
    aggregate_id: str
    body: Any
    asks: bool = False
    broadcast: bool = False
    actor: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What a record led to.

    answer: Rejected or Unchanged where the command ends here without an event; None where there are events, or
    where another stage gives the answer. row: the main row's new state (None: as it was). rows: other rows by
    full key, None removes one. timers: of the main row, by name: when each is due, in milliseconds since 1970, None
    cancels it; one that is not named stays as it is. Only a stage that ticks may set them, on the row of its record's
    own key. One that is due already comes at the next tick.
    """

    events: tuple[Recorded, ...] = ()
    answer: Rejected | Unchanged | None = None
    row: Any = None
    rows: Mapping[str, Any] = field(default_factory=dict)
    forwards: tuple[Forward, ...] = ()
    timers: Mapping[str, int | None] = field(default_factory=dict)


class Logic(Protocol):
    """A stage's pure function. It may raise only where it has a bug; it would raise again."""

    def main_key(self, key: str, envelope: Envelope, body: Any, /) -> str:
        """Return the full key of the row that guards this record against repetition, and that it is about."""

    def carried(self, envelope: Envelope, body: Any, /) -> Carried | None:
        """Return the signal that this record carries, which must not end without a receipt; None for all others."""

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows, /) -> Handled: ...
