"""The mark of a row whose record could not be folded: later records follow that one to the dead letters. And its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """cause: what the fold said. offset: of the record that could not be folded."""

    cause: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnparkCase:
    """Take the mark off this case: the records behind this one are folded again. An operator says it, no API does.

    It changes nothing of the case's public state, so its outcome is `unchanged`, whether or not there was a mark.
    """


def parked_key(key: str) -> str:
    """Return the key of the mark of the row `key`."""
    return f"{key}|parked"
