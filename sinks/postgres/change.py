"""What an activity row says of a case event: the field, its old and its new value. Pure."""

from __future__ import annotations

from typing import Any, assert_never

from streams.cases.case import AlertStatus
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


def change(event: CaseEvent) -> dict[str, Any]:
    """Return {"field", "old", "new"} as far as the event has them, and what names the thing that changed.

    Of an opened case, `new` is an object and there is no field. Encrypted text is a placeholder.
    """
    match event:
        case CaseOpened():
            return {"new": _opened(event)}
        case CaseTitleChanged(title=new_text, before=old_text):
            return _changed("title", old_text.text, new_text.text)
        case CaseDescriptionChanged(description=new_text, before=old_text):
            return _changed("description", old_text.text, new_text.text)
        case CaseStatusChanged(status=status, before=old_status):
            return _changed("status", old_status.value, status.value)
        case CasePriorityChanged(priority=priority, before=old_priority):
            return _changed("priority", old_priority.value, priority.value)
        case CaseAssigned(assignee_id=who, before=before):
            return _changed("assignee_id", before, who)
        case CaseUnassigned(before=before):
            return _changed("assignee_id", before, None)
        case CaseAttributesChanged(attributes=attributes, before=old_attributes):
            return _changed("attributes", dict(old_attributes), dict(attributes))
        case CommentAdded(comment_id=cell_id, message=message) | CommentEdited(comment_id=cell_id, message=message):
            return {"field": "comment", "cell_id": cell_id, "new": message.text}
        case CommentDeleted(comment_id=cell_id):
            return {"field": "comment", "cell_id": cell_id, "new": None}
        case CaseArchived():
            return _changed("archived", False, True)
        case CaseUnarchived():
            return _changed("archived", True, False)
        case CaseDueDateChanged(due_date=due, before=before):
            return _changed("due_date", before, due)
        case CaseResolvedReasonChanged(reason=reason, before=old_reason):
            return _changed("resolved_reason", None if old_reason is None else old_reason.text, reason.text)
        case AlertAttached(alert_id=alert_id, title=title) | AlertRetriggered(alert_id=alert_id, title=title):
            return {**_alert(alert_id, AlertStatus.TRIGGERED), "title": title.text}
        case AlertAcknowledged(alert_id=alert_id):
            return _alert(alert_id, AlertStatus.ACKNOWLEDGED)
        case AlertResolved(alert_id=alert_id):
            return _alert(alert_id, AlertStatus.RESOLVED)
        case _:
            assert_never(event)


def _changed(field: str, old: Any, new: Any) -> dict[str, Any]:
    return {"field": field, "old": old, "new": new}


def _alert(alert_id: str, status: AlertStatus) -> dict[str, Any]:
    return {"field": "alert", "alert_id": alert_id, "new": status.value}


def _opened(event: CaseOpened) -> dict[str, Any]:
    return {
        "project_id": event.project_id,
        "key": f"{event.project_key}-{event.number}",
        "type_id": event.type_id,
        "title": event.title.text,
        "status": event.status.value,
        "priority": event.priority.value,
        "assignee_id": event.assignee_id,
        "attributes": dict(event.attributes),
        "alert_id": event.alert_id,
    }
