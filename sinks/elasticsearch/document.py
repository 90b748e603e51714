"""The document of a case, as `migrations/elasticsearch` maps it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.rest.case import STATUS_GROUPS
from schemas.state_hash import state_hash
from streams.cases.case import Case, Priority

PRIORITY_RANKS: Final = {
    Priority.P1: 1,
    Priority.P2: 2,
    Priority.P3: 3,
    Priority.P4: 4,
    Priority.P5: 5,
    Priority.NOT_DEFINED: 6,
}
"""The order in which priorities are sorted: the most urgent first, those without one last."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What a date of nanoseconds can hold, a signed 64-bit number from 1970 on, in whole microseconds.
_LAST: Final = 2**63 // 1000 - 1
_RESERVED: Final = "\x00"
_REPLACEMENT: Final = "\ufffd"


def document_id(tenant_id: str, case_id: str) -> str:
    return f"{tenant_id}:{case_id}"


def document(tenant_id: str, case: Case) -> dict[str, Any]:
    """Return the document of a case. What the case does not have is null or empty, never missing.

    Instants are ISO texts in UTC, exact to the microsecond; those outside 1970 to 2262 are moved to its ends.
    attributes: {name: [values]}. alerts: the ids. state_hash: hex. Encrypted text is a placeholder.
    """
    return {
        "tenant_id": tenant_id,
        "case_id": case.case_id,
        "version": case.version,
        "key": case.key,
        "number": case.number,
        "project_id": case.project_id,
        "project_key": case.project_key,
        "type_id": case.type_id,
        "title": case.title.text,
        "description": case.description.text,
        "status": case.status.value,
        "status_group": STATUS_GROUPS[case.status],
        "status_name": case.status_name,
        "priority": case.priority.value,
        "priority_rank": PRIORITY_RANKS[case.priority],
        "assignee_id": case.assignee_id,
        "created_by": case.created_by,
        "modified_by": case.modified_by,
        "attributes": {_plain(name): list(values) for name, values in case.attributes.items()},
        "attribute_values": [value for values in case.attributes.values() for value in values],
        "resolved_reason": None if case.resolved_reason is None else case.resolved_reason.text,
        "due_date": case.due_date,
        "created_at": instant(case.created_at),
        "modified_at": _optional(case.modified_at),
        "closed_at": _optional(case.closed_at),
        "archived_at": _optional(case.archived_at),
        "alerts": [alert.alert_id for alert in case.alerts],
        "group_key": case.group_key,
        "comments": case.comments,
        "state_hash": state_hash(case).hex(),
    }


def instant(micros: int) -> str:
    """Return an instant as the index keeps it, e.g. "2026-01-02T03:04:05.678901Z"."""
    at = _EPOCH + timedelta(microseconds=min(max(micros, 0), _LAST))
    return at.isoformat(timespec="microseconds")[:-6] + "Z"


def _optional(micros: int | None) -> str | None:
    return None if micros is None else instant(micros)


def _plain(name: str) -> str:
    """A flattened field joins name and value with NUL, so a name has none. Everything else is taken as it is."""
    return name.replace(_RESERVED, _REPLACEMENT) if _RESERVED in name else name
