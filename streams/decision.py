"""What a decider answers: events, a rejection, or nothing because it is already so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Accepted(Generic[E]):
    """The command is carried out; these events, in order, say what happened. Never empty."""

    events: tuple[E, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The command asks for what is already so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The command cannot be carried out. `code` is stable ("case.not_found"); `detail` is for people."""

    code: str
    detail: str
    field: str | None = None


Decision: TypeAlias = Accepted[E] | Unchanged | Rejected

UNCHANGED = Unchanged()


def accept(*events: E) -> Accepted[E] | Unchanged:
    """Return the events as a decision; none means that nothing was left to do."""
    return Accepted(events) if events else UNCHANGED


def reject(code: str, detail: str, *, field: str | None = None) -> Rejected:
    return Rejected(code=code, detail=detail, field=field)
