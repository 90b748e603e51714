"""What a search says, apart from how it was written and from who answers it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A value to be matched. quoted: as a phrase, word by word. pattern: `*` and `?` stand for anything.

    text: without quotes; escaped characters are plain, except in patterns, where they keep their backslash.
    """

    text: str
    quoted: bool = False
    pattern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A span of values, None for an end that is open. with_low, with_high: whether the ends belong to it."""

    low: str | None
    high: str | None
    with_low: bool = True
    with_high: bool = True


Value: TypeAlias = Word | Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A field has a value; without a field, any of the texts has it. at: where in the query it stands, from 0."""

    field: str | None
    value: Value
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    of: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every part holds; with no parts, everything matches."""

    of: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    of: tuple[Expression, ...]


Expression: TypeAlias = Condition | Not | All | Any


def conditions(expression: Expression) -> list[Condition]:
    """Return every condition in it, from left to right."""
    match expression:
        case Condition():
            return [expression]
        case Not(of=inner):
            return conditions(inner)
        case All(of=parts) | Any(of=parts):
            return [found for part in parts for found in conditions(part)]
