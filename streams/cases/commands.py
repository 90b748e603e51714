"""What can be asked of a case. The envelope says who asks, and when. Names and fields are the stored format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from streams.cases.case import Priority, Status
from streams.frozen import quick
from streams.text import EMPTY, Sealed


class Action(StrEnum):
    """What a signal says of its alert."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Open a case under a number that intake has allocated. It is never refused.

    alert_id, seq, signal_id: set when an alert opens it. group_key: under which further alerts may join.
    """

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
    signal_id: str | None = None
    group_key: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySignal:
    """Apply a signal of an alert that belongs, or comes to belong, to this case.

    title, description, priority, attributes: of the case that the signal opens if it meets a closed one. moved: the alert
    belongs to another case by now; this one sends the signal back whatever state it is in, behind those that are on
    their way back already.
    """

    action: Action
    alert_id: str
    seq: int
    signal_id: str
    title: Sealed
    description: Sealed = EMPTY
    priority: Priority = Priority.NOT_DEFINED
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    project_key: str
    group_key: str | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTitle:
    title: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDescription:
    description: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStatus:
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePriority:
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCase:
    assignee_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignCase:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAttributes:
    """Replace all attributes."""

    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """The comment's id is derived from the command: a repeated command adds nothing."""

    message: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class EditComment:
    comment_id: str
    message: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteComment:
    comment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCase:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnarchiveCase:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDueDate:
    """An ISO date, or None for no due date."""

    due_date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResolvedReason:
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionCase:
    """Go on to `status` from `before`; from any other status nothing changes. Automation says it, which has seen `before`."""

    before: Status
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseInactiveCase:
    """Close the case if nothing has happened to it since `version`."""

    version: int


CaseCommand: TypeAlias = (
    OpenCase
    | ApplySignal
    | ChangeTitle
    | ChangeDescription
    | ChangeStatus
    | ChangePriority
    | AssignCase
    | UnassignCase
    | ChangeAttributes
    | AddComment
    | EditComment
    | DeleteComment
    | ArchiveCase
    | UnarchiveCase
    | ChangeDueDate
    | ChangeResolvedReason
    | TransitionCase
    | CloseInactiveCase
)
