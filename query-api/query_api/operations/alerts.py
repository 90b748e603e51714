"""Alerts, and what became of each signal."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from infra.runtime.auth import Caller
from infra.runtime.problems import problem
from query_api.readers import Readers
from sinks.postgres import reads
from sinks.postgres.reads import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """row: of view `alert`. case_id: the case that its last folded signal went to."""

    row: Row
    case_id: UUID | None


async def list_alerts(
    readers: Readers, caller: Caller, *, project: str | None, open_only: bool, number: int, size: int
) -> list[Row]:
    """Return a page of the alerts, the one that changed last first. project: a key. number: counts from 0."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        return await reads.alerts(
            connection, project_key=project, open_only=open_only, limit=size, offset=number * size
        )


async def get_alert(readers: Readers, caller: Caller, alert_id: str) -> Alert:
    """Return an alert by `H/dedup_key`. Problem 404 "alert.not_found"."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        found = await reads.alert(connection, alert_id)
        if found is None:
            raise problem(404, "alert.not_found", f"there is no alert {alert_id[:64]}", field="alert_id")
        case = await reads.alert_case(connection, alert_id)
    return Alert(row=found, case_id=None if case is None else case["case_id"])


async def get_receipt(readers: Readers, caller: Caller, signal_id: str) -> Row:
    """Return the final state of a signal. Problem 404 "signal.not_found" while it is on its way, and where there is none."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        found = await reads.receipt(connection, signal_id)
    if found is None:
        detail = f"nothing is known of signal {signal_id[:64]}; one that was taken just now may be on its way"
        raise problem(404, "signal.not_found", detail, field="signal_id")
    return found
