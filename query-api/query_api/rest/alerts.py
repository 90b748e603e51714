"""`/api/v2/alerts` and `/api/v2/signals`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Caller
from infra.runtime.http import Json
from query_api.operations import alerts
from query_api.operations.page import SIZE_LIMIT
from query_api.readers import Readers
from query_api.rest.parameters import Parameters
from schemas.rest.alert import alert_data, receipt_data


async def list_alerts(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/alerts: filter[project] (a key), filter[open], page[size], page[number] (from 0)."""
    given = Parameters(request)
    project = given.text("filter[project]") or None
    rows = await alerts.list_alerts(
        readers,
        caller,
        project=None if project is None else project.replace("\x00", ""),
        open_only=given.flag("filter[open]", default=False),
        number=given.integer("page[number]", 0, low=0, high=1_000_000),
        size=given.integer("page[size]", 50, low=1, high=SIZE_LIMIT),
    )
    return Json({"data": [alert_data(row) for row in rows]})


async def get_alert(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/alerts/{alert_id}: `H/dedup_key`, with whatever the sender put into its key."""
    found = await alerts.get_alert(readers, caller, request.path_params["alert_id"])
    return Json({"data": alert_data(found.row, found.case_id)})


async def get_signal(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/signals/{signal_id}: its receipt."""
    return Json({"data": receipt_data(await alerts.get_receipt(readers, caller, request.path_params["signal_id"]))})
