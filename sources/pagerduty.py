"""PagerDuty Events API v2: `POST /v2/enqueue`, answered as PagerDuty answers it.

Source of the rules: PagerDuty's developer documentation, "Events API v2: overview" and "Send an alert event".
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.http import Json, read_json
from infra.runtime.problems import Fault, Problem, problem
from sources import limits, severity
from sources.base import Inlet, traceparent
from sources.receiver import answers_in, signal_ids
from sources.signal import Invalid, Signal
from streams.cases.commands import Action

SOURCE: Final = "pagerduty"
BODY_BYTES: Final = 512 * 1024


class _Strict(BaseModel):
    """Unknown fields are ignored, as PagerDuty does; a number is no text."""

    model_config = ConfigDict(strict=True, extra="ignore", str_strip_whitespace=False)


class _Link(_Strict):
    href: str = Field(min_length=1)
    text: str | None = None


class _Image(_Strict):
    src: str = Field(min_length=1)
    href: str | None = None
    alt: str | None = None


class _Payload(_Strict):
    summary: str
    source: str
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: str | None = None
    component: str | None = Field(None, max_length=limits.LABEL_VALUE)
    group: str | None = Field(None, max_length=limits.LABEL_VALUE)
    class_: str | None = Field(None, alias="class", max_length=limits.LABEL_VALUE)
    custom_details: Any = None


class _Event(_Strict):
    routing_key: str
    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: str | None = Field(None, max_length=limits.DEDUP_KEY)
    client: str | None = None
    client_url: str | None = None
    links: list[_Link] | None = None
    images: list[_Image] | None = None


class _Trigger(_Event):
    payload: _Payload


def routing_key(raw: Any) -> str:
    """Return the routing key of an event, empty where it names none."""
    key = raw.get("routing_key") if isinstance(raw, dict) else None
    return key if isinstance(key, str) else ""


def translate(raw: Any) -> Signal:
    """Return the signal of an event. Raises Invalid with all that is wrong, in PagerDuty's words."""
    if not isinstance(raw, dict):
        raise Invalid([Fault(code="event.not_object", detail="The event must be a JSON object")])
    triggers = raw.get("event_action") == Action.TRIGGER
    faults: list[Fault] = []
    event: _Event | None = None
    try:
        # What acknowledges or resolves needs no payload, and one that comes with it changes nothing.
        event = _Trigger.model_validate(raw) if triggers else _Event.model_validate(raw)
    except ValidationError as error:
        faults += [_fault(e) for e in error.errors(include_url=False)]
    faults += _blank(raw, triggers=triggers, known={fault.field for fault in faults})
    if faults or event is None:
        raise Invalid(faults)
    if not isinstance(event, _Trigger):
        return Signal(action=Action(event.event_action), dedup_key=event.dedup_key, details=_details(event, {}))
    payload = event.payload
    named = {
        "source": payload.source,
        "severity": payload.severity,
        "component": payload.component,
        "group": payload.group,
        "class": payload.class_,
    }
    return Signal(
        action=Action.TRIGGER,
        dedup_key=event.dedup_key or None,
        summary=payload.summary,
        priority=severity.PAGERDUTY[payload.severity],
        labels=limits.fit_labels({name: value for name, value in named.items() if value}),
        details=_details(event, {"timestamp": payload.timestamp, "custom_details": payload.custom_details}),
    )


def _details(event: _Event, more: dict[str, Any]) -> bytes:
    return limits.details(
        {
            **more,
            "client": event.client,
            "client_url": event.client_url,
            "links": [link.model_dump(exclude_none=True) for link in event.links or ()],
            "images": [image.model_dump(exclude_none=True) for image in event.images or ()],
        },
        "payload.custom_details",
    )


def _blank(raw: dict[str, Any], *, triggers: bool, known: set[str | None]) -> list[Fault]:
    """Return the faults of texts that are there and say nothing, or too much, or no time."""
    payload = raw.get("payload")
    fields: dict[str, Any] = {"routing_key": raw.get("routing_key")}
    if not triggers:
        fields["dedup_key"] = raw.get("dedup_key")
    elif isinstance(payload, dict):
        fields |= {f"payload.{name}": payload.get(name) for name in ("summary", "source")}
    faults = [
        _missing(name)
        for name, value in fields.items()
        if name not in known and (value is None or limits.blank(str(value)))
    ]
    if triggers and isinstance(payload, dict):
        for name, limit in (("summary", limits.SUMMARY), ("source", limits.LABEL_VALUE)):
            text = payload.get(name)
            if isinstance(text, str) and len(text) > limit:
                faults.append(_too_long(f"payload.{name}", limit))
        timestamp = payload.get("timestamp")
        if isinstance(timestamp, str) and timestamp and limits.instant(timestamp) is None:
            faults.append(_said("payload.timestamp", "'payload.timestamp' is not an ISO 8601 instant"))
    return faults


def _missing(field: str) -> Fault:
    return _said(field, f"'{field}' is missing or blank", "event.field_missing")


def _too_long(field: str, limit: int) -> Fault:
    return _said(field, f"Length of '{field}' is incorrect (should be at most {limit} characters)", "limit.exceeded")


def _said(field: str, text: str, code: str = "event.field_invalid") -> Fault:
    return Fault(code=code, detail=text, field=field)


def _fault(error: Any) -> Fault:
    field = ".".join(str(part) for part in error["loc"]).replace("class_", "class")
    match error["type"]:
        case "missing" | "string_too_short":
            return _missing(field)
        case "string_too_long":
            return _too_long(field, error["ctx"]["max_length"])
        case "literal_error":
            return _said(field, f"'{field}' is invalid (must be one of the following: {error['ctx']['expected']})")
        case _:
            return _said(field, f"'{field}' is invalid: {error['msg']}")


def form(refused: Problem) -> Response:
    """Render a refusal as PagerDuty does. Its clients retry on 429 and 5xx alone."""
    errors = [fault.detail for fault in refused.faults]
    if refused.status >= 500:  # what is away, not the event
        document: dict[str, Any] = {"status": "error", "message": "Internal Server Error", "errors": errors}
    else:
        document = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return Json(document, refused.status, headers=refused.headers)


class PagerDutyReceiver:
    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet

    @answers_in(form, source=SOURCE)
    async def pagerduty_enqueue(self, request: Request) -> Response:
        """Take an event. A trigger without a key gets one of the server's, as the answer says."""
        raw = await read_json(request, BODY_BYTES)
        signal = translate(raw)
        route = await self._inlet.route(routing_key(raw))
        if route is None:
            raise problem(400, "auth.key_unknown", "Invalid routing key", field="routing_key")
        commands = await self._inlet.take(
            [signal], route, source=SOURCE, traceparent=traceparent(request.headers.get("traceparent"))
        )
        document = {"status": "success", "message": "Event processed", "dedup_key": commands[0].dedup_key}
        return Json(document, 202, headers=signal_ids(commands))
