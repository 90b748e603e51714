"""Opsgenie's Alert API over HTTP: create, acknowledge, close, the status of a request, an alert."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Route
from infra.runtime.http import Json, loads, read_body, read_json
from infra.runtime.postgres import Database
from infra.runtime.problems import Problem, problem
from sources import alerts, opsgenie, receipts
from sources.base import Inlet, traceparent
from sources.receiver import answers_in, bearer, signal_ids
from sources.signal import Signal
from streams.cases.commands import Action
from streams.outcomes import Receipt

SOURCE: Final = "opsgenie"
_TYPES: Final = ("id", "alias", "tiny")


def form(refused: Problem) -> Response:
    """Render a refusal as Opsgenie does: `errors` by field where the body is at fault."""
    document: dict[str, Any] = {"took": 0.0, "requestId": str(uuid4())}
    if refused.status == 422:  # unprocessable
        message = "Request body is not processable. Please check the errors."
        document |= {"message": message, "errors": opsgenie.errors(refused.faults)}
    else:
        document["message"] = refused.faults[0].detail if refused.faults else str(refused)
    return Json(document, refused.status, headers=refused.headers)


class OpsgenieReceiver:
    """Unknown alerts are no error here: the answer is 202, and the failure shows in the status of the request."""

    def __init__(self, inlet: Inlet, database: Database) -> None:
        self._inlet = inlet
        self._database = database

    @answers_in(form, source=SOURCE, invalid=422)
    async def opsgenie_create(self, request: Request) -> Response:
        began = time.perf_counter()
        route = await self._route(request)
        raw = await read_json(request)
        return await self._take(request, route, [opsgenie.translate(raw)], began)

    @answers_in(form, source=SOURCE, invalid=422)
    async def opsgenie_acknowledge(self, request: Request) -> Response:
        return await self._act(request, Action.ACKNOWLEDGE)

    @answers_in(form, source=SOURCE, invalid=422)
    async def opsgenie_close(self, request: Request) -> Response:
        return await self._act(request, Action.RESOLVE)

    @answers_in(form, source=SOURCE, invalid=422)
    async def opsgenie_request(self, request: Request) -> Response:
        """Say what became of a request. 404 where it is not known, which it is not either until it is processed."""
        began = time.perf_counter()
        route = await self._route(request)
        request_id = request.path_params["request_id"]
        receipt = await receipts.find(self._database, route, _uuid(request_id))
        if receipt is None:
            raise problem(404, "request.not_found", "Request not found. It might not be processed, yet.")
        success, text = opsgenie.status(Receipt(receipt.receipt), receipt.reason)
        known = receipt.receipt in {Receipt.FOLDED, Receipt.DEDUPLICATED}
        document = {
            "success": success,
            "isSuccess": success,
            "status": text,
            "processedAt": receipts.iso(receipt.settled_at),
            "integrationId": route.project_id,
            "alertId": opsgenie.alert_id(receipt.dedup_key) if known else "",
            "alias": receipt.dedup_key,
        }
        return _answer(document, 200, began, request_id)

    @answers_in(form, source=SOURCE, invalid=422)
    async def opsgenie_alert(self, request: Request) -> Response:
        """Show an alert as it is in the views now."""
        began = time.perf_counter()
        route = await self._route(request)
        keys = await self._keys(request, route)
        shown = await alerts.find(self._database, route, keys[0]) if keys else None
        if shown is None:
            wanted, kind = request.path_params["identifier"], _kind(request)
            raise problem(404, "alert.not_found", f"Alert with {kind} [{wanted}] does not exist.")
        return _answer(_document(shown), 200, began, str(uuid4()))

    async def _act(self, request: Request, action: Action) -> Response:
        began = time.perf_counter()
        route = await self._route(request)
        body = await read_body(request)
        raw = loads(body) if body.strip() else None
        # An identifier that names nothing goes in as a key that no alert has: what it comes to shows in its status.
        keys = await self._keys(request, route) or [f"unknown:{_kind(request)}:{request.path_params['identifier']}"]
        signals = [opsgenie.translate_action(raw, action, key) for key in keys]
        return await self._take(request, route, signals, began)

    async def _take(self, request: Request, route: Route, signals: list[Signal], began: float) -> Response:
        parent = traceparent(request.headers.get("traceparent"))
        commands = await self._inlet.take(signals, route, source=SOURCE, traceparent=parent)
        document = {
            "result": "Request will be processed",
            "took": round(time.perf_counter() - began, 3),
            "requestId": commands[0].signal_id,
        }
        return Json(document, 202, headers=signal_ids(commands))

    async def _route(self, request: Request) -> Route:
        key = bearer(request, "GenieKey")
        route = await self._inlet.route(key) if key else None
        if route is None:
            raise problem(401, "auth.key_unknown", "Could not authenticate", headers={"WWW-Authenticate": "GenieKey"})
        return route

    async def _keys(self, request: Request, route: Route) -> list[str]:
        """Return the dedup keys that the path's identifier names: several where a case joined several alerts."""
        identifier: str = request.path_params["identifier"]
        match _kind(request):
            case "alias":
                return [identifier]
            case "tiny":
                return await alerts.of_case(self._database, route, identifier)
            case _:
                alias = opsgenie.alias_of(identifier)
                return [] if alias is None else [alias]


def _kind(request: Request) -> str:
    kind = request.query_params.get("identifierType", "id")
    if kind not in _TYPES:
        wrong = "identifierType should be one of [ id, alias, tiny ]."
        raise problem(422, "request.field_invalid", wrong, field="identifierType")
    return kind


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _answer(data: dict[str, Any], status: int, began: float, request_id: str) -> Response:
    return Json({"data": data, "took": round(time.perf_counter() - began, 3), "requestId": request_id}, status)


def _document(alert: alerts.ShownAlert) -> dict[str, Any]:
    return {
        "id": opsgenie.alert_id(alert.dedup_key),
        "tinyId": "" if alert.number is None else str(alert.number),
        "alias": alert.dedup_key,
        "message": alert.title,
        "description": alert.description,
        "status": "closed" if alert.status == "RESOLVED" else "open",
        "acknowledged": alert.status == "ACKNOWLEDGED",
        "isSeen": alert.status != "TRIGGERED",
        "snoozed": False,
        "tags": [],
        "count": alert.triggers,
        "priority": alert.priority,
        "createdAt": receipts.iso(alert.opened_at),
        "updatedAt": receipts.iso(alert.changed_at),
        "lastOccurredAt": receipts.iso(alert.changed_at),
        "source": SOURCE,
        "owner": "",
    }
