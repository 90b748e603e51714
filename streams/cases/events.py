"""What happened to a case. On the wire each carries `after`, the case at this version. Names are the stored format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.cases.case import Priority, Status
from streams.frozen import quick
from streams.text import EMPTY, Sealed


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    project_id: str
    project_key: str
    number: int
    type_id: str
    title: Sealed
    description: Sealed = EMPTY
    status: Status = Status.OPEN
    priority: Priority = Priority.NOT_DEFINED
    assignee_id: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alert_id: str | None = None
    seq: int = 0
    group_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAttached:
    """A further alert joined this case."""

    alert_id: str
    seq: int
    title: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRetriggered:
    """An alert of this case fired again: a log entry, no new page."""

    alert_id: str
    seq: int
    title: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcknowledged:
    alert_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResolved:
    alert_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTitleChanged:
    title: Sealed
    before: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDescriptionChanged:
    description: Sealed
    before: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStatusChanged:
    status: Status
    before: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePriorityChanged:
    priority: Priority
    before: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned:
    assignee_id: str
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnassigned:
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAttributesChanged:
    attributes: Mapping[str, tuple[str, ...]]
    before: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAdded:
    comment_id: str
    message: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited:
    comment_id: str
    message: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted:
    comment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseArchived:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnarchived:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDueDateChanged:
    due_date: str | None
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResolvedReasonChanged:
    reason: Sealed
    before: Sealed | None


CaseEvent: TypeAlias = (
    CaseOpened
    | AlertAttached
    | AlertRetriggered
    | AlertAcknowledged
    | AlertResolved
    | CaseTitleChanged
    | CaseDescriptionChanged
    | CaseStatusChanged
    | CasePriorityChanged
    | CaseAssigned
    | CaseUnassigned
    | CaseAttributesChanged
    | CommentAdded
    | CommentEdited
    | CommentDeleted
    | CaseArchived
    | CaseUnarchived
    | CaseDueDateChanged
    | CaseResolvedReasonChanged
)
