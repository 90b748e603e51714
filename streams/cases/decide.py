"""What a case answers to a command: no clock, no ids, no I/O; the envelope carries the time and the actor."""

from __future__ import annotations

from typing import Final, assert_never

from streams.cases.case import AlertStatus, Case, Comment, Status
from streams.cases.commands import (
    Action,
    AddComment,
    ApplySignal,
    ArchiveCase,
    AssignCase,
    CaseCommand,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
    CloseInactiveCase,
    DeleteComment,
    EditComment,
    OpenCase,
    TransitionCase,
    UnarchiveCase,
    UnassignCase,
)
from streams.cases.events import (
    AlertAcknowledged,
    AlertAttached,
    AlertResolved,
    AlertRetriggered,
    CaseArchived,
    CaseAssigned,
    CaseAttributesChanged,
    CaseDescriptionChanged,
    CaseDueDateChanged,
    CaseEvent,
    CaseOpened,
    CasePriorityChanged,
    CaseResolvedReasonChanged,
    CaseStatusChanged,
    CaseTitleChanged,
    CaseUnarchived,
    CaseUnassigned,
    CommentAdded,
    CommentDeleted,
    CommentEdited,
)
from streams.cases.limits import refuse
from streams.decision import UNCHANGED, Decision, accept, reject
from streams.envelope import MAX_DEPTH, Envelope
from streams.ids import derive

CHAIN_TOO_DEEP: Final = "command.chain_too_deep"


def decide(command: CaseCommand, case: Case | None, comment: Comment | None, by: Envelope) -> Decision[CaseEvent]:
    """Decide `command` of envelope `by` on `case` (None: never opened).

    `comment`: the row of the comment that the command names, None if there is none. Saying again what is already
    so leaves no event.
    """
    if isinstance(command, OpenCase):
        return _open(command, case)
    if isinstance(command, ApplySignal) and command.moved:
        return UNCHANGED
    if case is None:
        return reject("case.not_found", f"case {by.aggregate_id} does not exist")
    if by.expected_version is not None and by.expected_version != case.version:
        return reject("case.version_conflict", f"the case is at version {case.version}, not {by.expected_version}")
    if by.depth > MAX_DEPTH:
        return reject(CHAIN_TOO_DEEP, f"a chain of over {MAX_DEPTH} reactions, begun by {by.correlation_id}")
    if isinstance(command, ApplySignal):
        return _signal(command, case)
    refused = refuse(command)
    if refused is not None:
        return refused
    match command:
        case ChangeTitle(title=title):
            return UNCHANGED if title == case.title else accept(CaseTitleChanged(title=title, before=case.title))
        case ChangeDescription(description=text):
            if text == case.description:
                return UNCHANGED
            return accept(CaseDescriptionChanged(description=text, before=case.description))
        case ChangeStatus(status=status):
            return accept(*_status(case, status))
        case ChangePriority(priority=priority):
            if priority is case.priority:
                return UNCHANGED
            return accept(CasePriorityChanged(priority=priority, before=case.priority))
        case AssignCase(assignee_id=who):
            return (
                UNCHANGED if who == case.assignee_id else accept(CaseAssigned(assignee_id=who, before=case.assignee_id))
            )
        case UnassignCase():
            return UNCHANGED if case.assignee_id is None else accept(CaseUnassigned(before=case.assignee_id))
        case ChangeAttributes(attributes=attributes):
            if attributes == case.attributes:
                return UNCHANGED
            return accept(CaseAttributesChanged(attributes=attributes, before=case.attributes))
        case AddComment(message=message):
            comment_id = derive(by.id, "comment")
            return UNCHANGED if comment is not None else accept(CommentAdded(comment_id=comment_id, message=message))
        case EditComment(comment_id=comment_id, message=message):
            if comment is None or comment.deleted:
                return reject("comment.not_found", f"comment {comment_id} does not exist", field="cell_id")
            return accept(CommentEdited(comment_id=comment_id, message=message))
        case DeleteComment(comment_id=comment_id):
            if comment is None:
                return reject("comment.not_found", f"comment {comment_id} does not exist", field="cell_id")
            return UNCHANGED if comment.deleted else accept(CommentDeleted(comment_id=comment_id))
        case ArchiveCase():
            return UNCHANGED if case.archived_at is not None else accept(CaseArchived())
        case UnarchiveCase():
            return UNCHANGED if case.archived_at is None else accept(CaseUnarchived())
        case ChangeDueDate(due_date=due):
            return UNCHANGED if due == case.due_date else accept(CaseDueDateChanged(due_date=due, before=case.due_date))
        case ChangeResolvedReason(reason=reason):
            if case.status is not Status.CLOSED:
                return reject("case.not_closed", "only a closed case has a resolved reason", field="resolved_reason")
            if reason == case.resolved_reason:
                return UNCHANGED
            return accept(CaseResolvedReasonChanged(reason=reason, before=case.resolved_reason))
        case TransitionCase(before=before, status=status):
            return UNCHANGED if case.ended or case.status is not before else accept(*_status(case, status))
        case CloseInactiveCase(version=version):
            return UNCHANGED if case.ended or case.version != version else accept(*_status(case, Status.CLOSED))
        case _:
            assert_never(command)


def _open(command: OpenCase, case: Case | None) -> Decision[CaseEvent]:
    if case is not None:
        return UNCHANGED
    return accept(
        CaseOpened(
            project_id=command.project_id,
            project_key=command.project_key,
            number=command.number,
            type_id=command.type_id,
            title=command.title,
            description=command.description,
            status=command.status,
            priority=command.priority,
            assignee_id=command.assignee_id,
            attributes=command.attributes,
            alert_id=command.alert_id,
            seq=command.seq,
            group_key=command.group_key,
        )
    )


def _status(case: Case, status: Status) -> tuple[CaseEvent, ...]:
    return () if status is case.status else (CaseStatusChanged(status=status, before=case.status),)


def _signal(command: ApplySignal, case: Case) -> Decision[CaseEvent]:
    """A signal at or below the alert's last one was seen. One that meets an ended case changes nothing here."""
    alert = case.alert(command.alert_id)
    if case.ended or (alert is not None and command.seq <= alert.seq):
        return UNCHANGED
    match command.action:
        case Action.TRIGGER if alert is None:
            attached = AlertAttached(alert_id=command.alert_id, seq=command.seq, title=command.title)
            # A new alert needs attention, even where somebody already works on its siblings: the work goes on.
            return accept(attached)
        case Action.TRIGGER:
            return accept(AlertRetriggered(alert_id=command.alert_id, seq=command.seq, title=command.title))
        case Action.ACKNOWLEDGE:
            if alert is None or alert.status is not AlertStatus.TRIGGERED:
                return UNCHANGED
            progress = _status(case, Status.IN_PROGRESS) if case.status is Status.OPEN else ()
            return accept(AlertAcknowledged(alert_id=command.alert_id, seq=command.seq), *progress)
        case Action.RESOLVE:
            if alert is None or alert.status is AlertStatus.RESOLVED:
                return UNCHANGED
            open_ones = any(a.status is not AlertStatus.RESOLVED for a in case.alerts if a is not alert)
            closing = () if open_ones else _status(case, Status.CLOSED)
            return accept(AlertResolved(alert_id=command.alert_id, seq=command.seq), *closing)
        case _:
            assert_never(command.action)
