"""A case's state as its row in view `case`, and that row as the database shows it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from schemas import codec
from schemas.state_hash import row_hash
from sinks.postgres import text
from sinks.postgres.rows import CaseRow
from streams.cases.case import Case

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANTS: Final = ("created_at", "modified_at", "closed_at", "archived_at")
_DOCUMENTS: Final = ("attributes", "alerts")


def case_row(tenant_id: str, case: Case, state: bytes | None = None) -> CaseRow:
    """Return the row of a case. state: it by `schemas.codec.encode_row`, where that is at hand."""
    alerts = [
        {"alert_id": a.alert_id, "status": a.status.value, "seq": a.seq, "triggers": a.triggers} for a in case.alerts
    ]
    return CaseRow(
        tenant_id,
        case.case_id,
        case.version,
        case.project_id,
        case.project_key,
        case.number,
        case.key,
        case.type_id,
        text.plain(case.title.text),
        text.plain(case.description.text),
        case.status.value,
        case.status_name,
        case.priority.value,
        text.optional(case.assignee_id),
        text.json(dict(case.attributes)),
        None if case.resolved_reason is None else text.plain(case.resolved_reason.text),
        text.optional(case.due_date),
        text.instant(case.created_at),
        text.plain(case.created_by),
        text.optional_instant(case.modified_at),
        text.optional(case.modified_by),
        text.optional_instant(case.closed_at),
        text.optional_instant(case.archived_at),
        text.json(alerts),
        text.optional(case.group_key),
        case.comments,
        row_hash(codec.encode_row(case) if state is None else state),
    )


def shown(tenant_id: str, state: bytes) -> dict[str, Any]:
    """Return what `SELECT * FROM "case"` showed of a case while it was in this state, ids as texts.

    state: what `schemas.codec.encode_row` made, by today's schema or an older one.
    """
    row = case_row(tenant_id, codec.decode_row(state))._asdict()
    for name in _INSTANTS:
        micros = row[name]
        row[name] = None if micros is None else _EPOCH + timedelta(microseconds=micros)
    for name in _DOCUMENTS:
        row[name] = _as_jsonb(orjson.loads(row[name]))
    return row


def _as_jsonb(value: Any) -> Any:
    """Put names into the order in which jsonb gives them, so that the answer made of them is the same to the byte."""
    match value:
        case dict():
            return {name: _as_jsonb(value[name]) for name in sorted(value, key=_jsonb_order)}
        case list():
            return [_as_jsonb(v) for v in value]
        case _:
            return value


def _jsonb_order(name: str) -> tuple[int, bytes]:
    encoded = name.encode()
    return len(encoded), encoded
