"""What can be said of an alert, inside. Sources translate every foreign format into these. Names are the stored format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.text import EMPTY, Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSignal:
    """A signal of a monitoring tool, whichever way it came. Its id is the envelope's.

    project_id, project_key: of the routing key that it came with. starts_at: microseconds since 1970 at which the
    sender says this episode began, None if it does not say. labels: what rules match and group by; plain text.
    details: a JSON object with whatever else the sender gave.
    """

    action: Action
    project_id: str
    project_key: str
    dedup_key: str
    summary: Sealed
    description: Sealed = EMPTY
    priority: Priority = Priority.NOT_DEFINED
    labels: Mapping[str, str] = field(default_factory=dict)
    details: Sealed = EMPTY
    starts_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEnded:
    """From stage `cases`: the case of this alert has ended, having seen its signals up to `seq`."""

    case_id: str
    seq: int


AlertCommand: TypeAlias = RecordSignal | AlertEnded
