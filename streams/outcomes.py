"""Records without a version that stages leave on events topics: outcomes of commands, receipts of signals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from streams.frozen import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRejected:
    """The command named by the envelope's causation was refused. `code` is stable, `detail` is for people."""

    command: str
    code: str
    detail: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandUnchanged:
    """The command named by the envelope's causation asked for what was already so."""

    command: str


class Receipt(StrEnum):
    """The final state of a signal. It is written once."""

    FOLDED = "folded"
    DEDUPLICATED = "deduplicated"
    SUPPRESSED = "suppressed"
    DROPPED = "dropped"
    REJECTED = "rejected"
    DEAD_LETTERED = "dead_lettered"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSettled:
    """Signal `signal_id` came to its end. `reason` is a stable code ("no_open_alert"), empty where none is needed."""

    signal_id: str
    receipt: Receipt
    reason: str = ""
    case_id: str | None = None
