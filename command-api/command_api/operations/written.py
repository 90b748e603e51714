"""What a write that returned has left in the views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from infra.runtime.commands import Submitted
from infra.runtime.kafka import Position
from infra.runtime.problems import problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """row: the object as its view shows it now. position: up to where a view must have read the log to show it."""

    row: Mapping[str, Any]
    command_id: str
    position: Position

    @classmethod
    def of(cls, row: Mapping[str, Any] | None, submitted: Submitted, noun: str) -> Self:
        """Return what was written. Problem 404 where it was deleted since: a write that is repeated may find it gone."""
        if row is None:
            raise problem(404, f"{noun}.not_found", f"the {noun.replace('_', ' ')} does not exist any more")
        return cls(row=row, command_id=submitted.command_id, position=submitted.outcome.position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A write after which there is nothing to show."""

    command_id: str
    position: Position

    @classmethod
    def of(cls, submitted: Submitted) -> Self:
        return cls(command_id=submitted.command_id, position=submitted.outcome.position)
