"""Time as an input: the ticks that stages get, and the timers that are due at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streams.envelope import Envelope
from streams.ids import NAMESPACE, derive

CLOCK: Final = "clock"
"""The key of a tick, and what its envelope says it is about: it belongs to no tenant."""

SECOND: Final = 1_000
"""A second, in the milliseconds that ticks and timers count in. A clock ticks at whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """It is `at` now: milliseconds since 1970, UTC. It comes to every partition of a topic whose stage ticks."""

    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The timer `name` of a row is due: once each. due: when it was to be, in milliseconds since 1970, UTC.

    It is made in the stage that set the timer, by the first tick at or past `due` that has room for it. The envelope says
    when that was, and its causation is the record that set the timer. A logic that fails on it leaves
    it in the dead letters as a record that can be said again.
    """

    name: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTick:
    """The row of a partition that has its last tick."""

    at: int


def tick(at: int) -> tuple[Envelope, Tick]:
    """Return the tick of a moment in milliseconds: the same one from every clock."""
    name = derive(str(NAMESPACE), "tick", at)
    envelope = Envelope(
        tenant_id="",
        aggregate_id=CLOCK,
        id=name,
        correlation_id=name,
        source=CLOCK,
        actor="system:clock",
        occurred_at=at * 1_000,
        recorded_at=at * 1_000,
    )
    return envelope, Tick(at=at)


def fired(*, stage: str, key: str, name: str, due: int, at: int, cause: str, chain: str) -> Envelope:
    """Return the envelope of a timer that is due at the tick `at`. Its id follows from the record that set it.

    key: of the row it belongs to, `tenant/aggregate` or `tenant`. cause: the id of the record that set it. chain: of which
    chain of reactions that was. Its depth begins anew: who waited for a time reacts to no record, and cannot run away.
    """
    tenant_id, _, aggregate_id = key.partition("/")
    return Envelope(
        tenant_id=tenant_id,
        aggregate_id=aggregate_id or tenant_id,
        id=derive(cause, stage, "timer", key, name, due),
        correlation_id=chain,
        causation_id=cause,
        source=f"stage.{stage}",
        actor=f"system:{stage}",
        occurred_at=at * 1_000,
        recorded_at=at * 1_000,
    )
