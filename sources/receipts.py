"""What became of a signal, for whoever holds the routing key that it came with: `GET /v2/receipts/{signal_id}`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Route
from infra.runtime.http import Json
from infra.runtime.postgres import Database
from infra.runtime.problems import problem
from sources.base import Inlet
from sources.receiver import answers_in, plain_form, routed

_SELECT: Final = (
    "SELECT alert_id, receipt, reason, case_id, settled_at FROM signal_receipt "
    "WHERE tenant_id = %s AND signal_id = %s AND starts_with(alert_id, %s)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledSignal:
    """receipt: one of `streams.outcomes.Receipt`. dedup_key: as the view shows it, without NUL characters."""

    signal_id: str
    dedup_key: str
    receipt: str
    reason: str
    case_id: str | None
    settled_at: datetime


async def find(database: Database, route: Route, signal_id: str | None) -> SettledSignal | None:
    """Return the receipt of a signal that came with this routing key; None where there is none (yet).

    Raises StoreUnavailable.
    """
    if signal_id is None:
        return None
    async with database.tenant(route.tenant_id) as connection:
        row = await (await connection.execute(_SELECT, (route.tenant_id, signal_id, f"{route.routing}/"))).fetchone()
    if row is None:
        return None
    return SettledSignal(
        signal_id=signal_id,
        dedup_key=row["alert_id"].removeprefix(f"{route.routing}/"),
        receipt=row["receipt"],
        reason=row["reason"],
        case_id=None if row["case_id"] is None else str(row["case_id"]),
        settled_at=row["settled_at"],
    )


def iso(at: datetime) -> str:
    """Return an instant as these APIs write it, to the millisecond."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ReceiptsReceiver:
    def __init__(self, inlet: Inlet, database: Database) -> None:
        self._inlet = inlet
        self._database = database

    @answers_in(plain_form, source="receipts")
    async def signal_receipt(self, request: Request) -> Response:
        """Answer a signal's final state; 404 while it has none, and where it came with another routing key."""
        route = await routed(self._inlet, request)
        try:
            signal_id = str(UUID(request.path_params["signal_id"]))
        except ValueError:
            raise problem(400, "request.field_invalid", "is not a UUID", field="signal_id") from None
        settled = await find(self._database, route, signal_id)
        if settled is None:
            raise problem(404, "receipt.not_found", "there is no receipt of this signal, or not yet", field="signal_id")
        return Json(
            {
                "signal_id": settled.signal_id,
                "dedup_key": settled.dedup_key,
                "receipt": settled.receipt,
                "reason": settled.reason,
                "status": f"{settled.receipt}:{settled.reason}" if settled.reason else settled.receipt,
                "case_id": settled.case_id,
                "settled_at": iso(settled.settled_at),
            }
        )
