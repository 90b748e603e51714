"""What a case is after its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from streams.cases.case import STATUS_NAMES, AlertStatus, AttachedAlert, Case, Status
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
from streams.envelope import Envelope
from streams.frozen import replace


def fold(case: Case | None, events: Iterable[CaseEvent], by: Envelope) -> Case | None:
    """Return `case` after `events`, all of which the command of envelope `by` led to."""
    for event in events:
        case = _evolve(case, event, by)
    return case


def _evolve(case: Case | None, event: CaseEvent, by: Envelope) -> Case:
    if isinstance(event, CaseOpened):
        return _open(event, by)
    if case is None:
        raise ValueError(f"{type(event).__name__} of a case that was never opened")
    at, who, version = by.occurred_at, by.actor, case.version + 1
    match event:
        case CaseTitleChanged():
            return replace(case, version=version, modified_at=at, modified_by=who, title=event.title)
        case CaseDescriptionChanged():
            return replace(case, version=version, modified_at=at, modified_by=who, description=event.description)
        case CaseStatusChanged():
            return replace(
                case,
                version=version,
                modified_at=at,
                modified_by=who,
                status=event.status,
                status_name=STATUS_NAMES[event.status],
                closed_at=at if event.status is Status.CLOSED else None,
                resolved_reason=case.resolved_reason if event.status is Status.CLOSED else None,
            )
        case CasePriorityChanged():
            return replace(case, version=version, modified_at=at, modified_by=who, priority=event.priority)
        case CaseAssigned():
            return replace(case, version=version, modified_at=at, modified_by=who, assignee_id=event.assignee_id)
        case CaseUnassigned():
            return replace(case, version=version, modified_at=at, modified_by=who, assignee_id=None)
        case CaseAttributesChanged():
            return replace(case, version=version, modified_at=at, modified_by=who, attributes=event.attributes)
        case CommentAdded():
            return replace(case, version=version, modified_at=at, modified_by=who, comments=case.comments + 1)
        case CommentEdited():
            return replace(case, version=version, modified_at=at, modified_by=who)
        case CommentDeleted():
            return replace(case, version=version, modified_at=at, modified_by=who, comments=case.comments - 1)
        case CaseArchived():
            return replace(case, version=version, modified_at=at, modified_by=who, archived_at=at)
        case CaseUnarchived():
            return replace(case, version=version, modified_at=at, modified_by=who, archived_at=None)
        case CaseDueDateChanged():
            return replace(case, version=version, modified_at=at, modified_by=who, due_date=event.due_date)
        case CaseResolvedReasonChanged():
            return replace(case, version=version, modified_at=at, modified_by=who, resolved_reason=event.reason)
        case AlertAttached() | AlertRetriggered():
            alerts = _triggered(case.alerts, event.alert_id, event.seq)
            return replace(case, version=version, modified_at=at, modified_by=who, alerts=alerts)
        case AlertAcknowledged():
            alerts = _marked(case.alerts, event.alert_id, event.seq, AlertStatus.ACKNOWLEDGED)
            return replace(case, version=version, modified_at=at, modified_by=who, alerts=alerts)
        case AlertResolved():
            alerts = _marked(case.alerts, event.alert_id, event.seq, AlertStatus.RESOLVED)
            return replace(case, version=version, modified_at=at, modified_by=who, alerts=alerts)
        case _:
            assert_never(event)


def _open(event: CaseOpened, by: Envelope) -> Case:
    alerts: tuple[AttachedAlert, ...] = ()
    if event.alert_id is not None:
        alerts = (AttachedAlert(alert_id=event.alert_id, status=AlertStatus.TRIGGERED, seq=event.seq),)
    return Case(
        case_id=by.aggregate_id,
        version=1,
        project_id=event.project_id,
        project_key=event.project_key,
        number=event.number,
        type_id=event.type_id,
        title=event.title,
        description=event.description,
        status=event.status,
        status_name=STATUS_NAMES[event.status],
        priority=event.priority,
        assignee_id=event.assignee_id,
        attributes=event.attributes,
        created_at=by.occurred_at,
        created_by=by.actor,
        closed_at=by.occurred_at if event.status is Status.CLOSED else None,
        alerts=alerts,
        group_key=event.group_key,
    )


def _triggered(alerts: tuple[AttachedAlert, ...], alert_id: str, seq: int) -> tuple[AttachedAlert, ...]:
    """A resolved alert that fires again in the same, still open case is triggered; an acknowledged one stays so."""
    if all(a.alert_id != alert_id for a in alerts):
        return (*alerts, AttachedAlert(alert_id=alert_id, status=AlertStatus.TRIGGERED, seq=seq))
    return tuple(
        a
        if a.alert_id != alert_id
        else replace(
            a,
            seq=seq,
            triggers=a.triggers + 1,
            status=AlertStatus.TRIGGERED if a.status is AlertStatus.RESOLVED else a.status,
        )
        for a in alerts
    )


def _marked(
    alerts: tuple[AttachedAlert, ...], alert_id: str, seq: int, status: AlertStatus
) -> tuple[AttachedAlert, ...]:
    return tuple(replace(a, seq=seq, status=status) if a.alert_id == alert_id else a for a in alerts)
