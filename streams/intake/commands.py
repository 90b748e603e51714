"""What intake is asked. Names and fields are the stored format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.cases.case import STANDARD_TYPE, Priority, Status
from streams.cases.commands import Action
from streams.frozen import quick
from streams.text import EMPTY, Sealed


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCase:
    """Somebody asks for a case in the project of the record's key."""

    project_id: str
    title: Sealed
    type_id: str = STANDARD_TYPE
    description: Sealed = EMPTY
    status: Status = Status.OPEN
    priority: Priority = Priority.NOT_DEFINED
    assignee_id: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSignal:
    """From stage `alerts`: a signal that changes its alert. seq: the alert's version after it. facts: for rules."""

    action: Action
    alert_id: str
    seq: int
    signal_id: str
    project_id: str
    summary: Sealed
    description: Sealed = EMPTY
    priority: Priority = Priority.NOT_DEFINED
    facts: Mapping[str, str] = field(default_factory=dict)
    details: Sealed = EMPTY


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnSignal:
    """From stage `cases`: this signal met a case that had ended; a trigger opens, or joins, another."""

    ended_case_id: str
    action: Action
    alert_id: str
    seq: int
    signal_id: str
    title: Sealed
    description: Sealed = EMPTY
    priority: Priority = Priority.NOT_DEFINED
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAlert:
    """seq: of the last signal of this alert that the case had seen when it ended."""

    alert_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEnded:
    """From stage `cases`: this case takes no further alerts. alerts: those attached."""

    case_id: str
    alerts: tuple[EndedAlert, ...] = ()
    group_key: str | None = None


IntakeCommand: TypeAlias = CreateCase | RouteSignal | ReturnSignal | CaseEnded
