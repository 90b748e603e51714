"""The mark of a row whose record could not be folded: later records follow that one to the dead letters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """cause: what the fold said. offset: of the record that could not be folded."""

    cause: str
    offset: int


def parked_key(key: str) -> str:
    """Return the key of the mark of the row `key`."""
    return f"{key}|parked"
