"""The public state of a case. These fields are the stored format of `after`: change them with care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from streams.frozen import quick
from streams.text import EMPTY, Sealed

STANDARD_TYPE: Final = "00000000-0000-0000-0000-000000000001"
"""The case type that every tenant has."""

ALERTS_LIMIT: Final = 100
"""How many alerts one case may join; the next one opens a case of its own."""


class Status(StrEnum):
    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    CLOSED = "CLOSED"


class Priority(StrEnum):
    NOT_DEFINED = "NOT_DEFINED"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"


class AlertStatus(StrEnum):
    TRIGGERED = "TRIGGERED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedAlert:
    """An alert of this case. seq: the version of the alert at its last signal that this case has seen."""

    alert_id: str
    status: AlertStatus
    seq: int
    triggers: int = 1


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case at one version. Times are microseconds since 1970, UTC; `due_date` is an ISO date without a zone."""

    case_id: str
    version: int
    project_id: str
    project_key: str
    number: int
    type_id: str
    title: Sealed
    description: Sealed = EMPTY
    status: Status = Status.OPEN
    status_name: str = "Open"
    priority: Priority = Priority.NOT_DEFINED
    assignee_id: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resolved_reason: Sealed | None = None
    due_date: str | None = None
    created_at: int
    created_by: str
    modified_at: int | None = None
    modified_by: str | None = None
    closed_at: int | None = None
    archived_at: int | None = None
    alerts: tuple[AttachedAlert, ...] = ()
    group_key: str | None = None
    comments: int = 0

    @property
    def key(self) -> str:
        return f"{self.project_key}-{self.number}"

    @property
    def ended(self) -> bool:
        """Whether the next trigger of an alert of this case opens a new case."""
        return self.status is Status.CLOSED or self.archived_at is not None

    def alert(self, alert_id: str) -> AttachedAlert | None:
        return next((a for a in self.alerts if a.alert_id == alert_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What the fold must know of a comment; its text lives in events and views."""

    comment_id: str
    author: str
    deleted: bool = False


STATUS_NAMES: Final = {Status.OPEN: "Open", Status.IN_PROGRESS: "In Progress", Status.CLOSED: "Closed"}
