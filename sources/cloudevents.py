"""CloudEvents 1.0 over HTTP, in its binary, structured and batch modes.

Source of the rules: CNCF, "CloudEvents 1.0.2" and its "HTTP Protocol Binding". What an event says as an alert:

    action      extension `action` (trigger, acknowledge, resolve), else the type's end: .triggered, .acknowledged, .resolved
    dedup_key   extension `dedupkey`, else `subject`; a trigger without either is an alert of its own
    summary     extension `summary`, else `summary`, `title` or `message` of the data, else type and subject
    priority    `priority` (P1 to P5), else `severity` (critical, error, warning, info), as extension or in the data
    starts_at   extension `startsat` or `starts_at` of the data, an RFC 3339 instant
    labels      `labels` of the data, with `source` and `type` beside them
    signal id   follows from source and id, which name an event: one that is sent again is known again
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Route
from infra.runtime.http import loads, read_body
from infra.runtime.problems import Fault
from sources import limits, severity
from sources.base import Inlet, traceparent
from sources.receiver import answers_in, plain_form, routed, taken
from sources.signal import Invalid, Signal, invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.ids import derive
from streams.text import shorten

T = TypeVar("T")
V = TypeVar("V")

SOURCE: Final = "cloudevents"
STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
BATCH_EVENTS: Final = 1_000

_REQUIRED: Final = ("id", "source", "type")
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]+")
_ATTRIBUTE_TEXT: Final = 1_024
_ACTIONS: Final[Mapping[str, Action]] = {
    "trigger": Action.TRIGGER,
    "triggered": Action.TRIGGER,
    "acknowledge": Action.ACKNOWLEDGE,
    "acknowledged": Action.ACKNOWLEDGE,
    "resolve": Action.RESOLVE,
    "resolved": Action.RESOLVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event with its attributes by name, and its data: JSON where it is, else text."""

    attributes: Mapping[str, Any]
    data: Any = None

    def text(self, name: str) -> str:
        """Return an attribute as text, empty where there is none. Attributes may be booleans and integers."""
        value = self.attributes.get(name)
        return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)

    def said(self, name: str, member: str = "") -> str:
        """Return what the extension `name` says, else what a member of the data does."""
        inner = self.data.get(member or name) if isinstance(self.data, dict) else None
        return self.text(name) or (inner if isinstance(inner, str) else "")


def binary(headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event of a request in binary mode. headers: with names in lower case. Raises Invalid."""
    attributes: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            try:
                attributes[name[3:]] = unquote(value.encode("latin-1").decode(), errors="strict")
            except UnicodeDecodeError:
                raise invalid("event.attribute_invalid", "is not percent-encoded UTF-8", field=name) from None
    kind = headers.get("content-type", "")
    attributes |= {"datacontenttype": kind} if kind else {}
    return Event(attributes=attributes, data=_data(body, kind))


def structured(raw: Any) -> Event:
    """Return the event of its JSON form. Raises Invalid."""
    if not isinstance(raw, dict):
        raise invalid("event.not_object", "an event must be a JSON object")
    attributes = {
        name: value for name, value in raw.items() if name not in {"data", "data_base64"} and value is not None
    }
    if "data_base64" not in raw:
        return Event(attributes=attributes, data=raw.get("data"))
    if "data" in raw:
        raise invalid("event.attribute_invalid", "stands beside data", field="data_base64")
    try:
        body = base64.b64decode(str(raw["data_base64"]), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("event.attribute_invalid", "is not base64", field="data_base64") from None
    return Event(attributes=attributes, data=_data(body, str(attributes.get("datacontenttype", ""))))


def batch(raw: Any) -> list[Event]:
    """Return the events of a batch, in order. Raises Invalid."""
    if not isinstance(raw, list):
        raise invalid("event.not_array", "a batch must be a JSON array of events")
    if len(raw) > BATCH_EVENTS:
        raise Invalid([limits.over("body", len(raw), BATCH_EVENTS, "events")])
    return [_of_batch(n, structured, item) for n, item in enumerate(raw)]


def translate(event: Event) -> Signal:
    """Return the signal of an event, without its id. Raises Invalid, naming each attribute that is wrong."""
    faults = _attribute_faults(event)
    data = event.data if isinstance(event.data, dict) else {}
    action = _ACTIONS.get((event.text("action") or event.text("type").rpartition(".")[2]).lower())
    if action is None:
        where = "action" if "action" in event.attributes else "type"
        ends = "trigger, acknowledge or resolve" if where == "action" else ".triggered, .acknowledged or .resolved"
        faults.append(Fault(code="event.action_unknown", detail=f"does not end in {ends}", field=where))
    dedup_key = event.text("dedupkey") or event.text("subject")
    if len(dedup_key) > limits.DEDUP_KEY:
        faults.append(
            limits.over("dedupkey" if event.text("dedupkey") else "subject", len(dedup_key), limits.DEDUP_KEY)
        )
    if not dedup_key and action is not None and action is not Action.TRIGGER:
        faults.append(_wrong("subject", f"is needed to {action.value}, or the extension dedupkey"))
    starts_text = event.said("startsat", "starts_at")
    starts_at = limits.instant(starts_text) if starts_text else None
    if starts_text and starts_at is None:
        faults.append(_wrong("startsat", "is not an RFC 3339 instant"))
    labels = data.get("labels") if isinstance(data.get("labels"), dict) else {}
    texts = {str(name): value for name, value in (labels or {}).items() if isinstance(value, str)}
    faults += limits.label_faults(texts, "data.labels")
    if faults or action is None:
        raise Invalid(faults)
    named = {name: event.text(name) for name in ("source", "type")}
    return Signal(
        action=action,
        dedup_key=dedup_key or None,
        summary=shorten(_summary(event), limits.SUMMARY),
        description=shorten(event.said("description"), limits.DESCRIPTION),
        priority=_priority(event),
        labels=limits.fit_labels({**named, **texts}),
        details=limits.details({"event": dict(event.attributes), "data": event.data}, "data"),
        starts_at=starts_at,
    )


def signal_id(event: Event, route: Route) -> str:
    """Return the id of an event's signal: the same whenever the event comes, whoever else has such a source and id."""
    source = event.text("source")
    # The length keeps "a/b" + "c" and "a" + "b/c" apart.
    return derive(route.tenant_id, SOURCE, route.routing, len(source), source, event.text("id"))


def _attribute_faults(event: Event) -> list[Fault]:
    faults: list[Fault] = []
    version = event.attributes.get("specversion")
    if version != "1.0":
        faults.append(_wrong("specversion", "is missing" if version is None else "is not 1.0"))
    for name in _REQUIRED:
        value = event.attributes.get(name)
        if not isinstance(value, str) or not value.strip():
            faults.append(_wrong(name, "is missing or blank" if value in (None, "") else "is not a text"))
    for name, value in event.attributes.items():
        shown = shorten(name, 40)
        if not _ATTRIBUTE.fullmatch(name):
            faults.append(_wrong(shown, "is no attribute name: lower-case letters and digits alone"))
        elif not isinstance(value, str | bool | int):
            faults.append(_wrong(shown, "is neither a text, an integer nor a boolean"))
        elif isinstance(value, str) and len(value) > _ATTRIBUTE_TEXT:
            faults.append(limits.over(shown, len(value), _ATTRIBUTE_TEXT))
    time = event.attributes.get("time")
    if time is not None and (not isinstance(time, str) or limits.instant(time) is None):
        faults.append(_wrong("time", "is not an RFC 3339 instant"))
    return faults


def _summary(event: Event) -> str:
    texts = (event.said("summary"), event.said("title"), event.said("message"))
    stands_for_it = f"{event.text('type')} {event.text('subject')}"
    return next((text for text in texts if not limits.blank(text)), stands_for_it)


def _priority(event: Event) -> Priority:
    named = severity.priority(event.said("priority"))
    return named or severity.PAGERDUTY.get(event.said("severity").lower(), Priority.NOT_DEFINED)


def _data(body: bytes, kind: str) -> Any:
    """Return data as JSON where its type says so or none is said, else as text. Raises Invalid."""
    if not body:
        return None
    media = kind.partition(";")[0].strip().lower()
    if not media or media.endswith(("/json", "+json")):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise invalid("event.data_invalid", "is not JSON, as its content type says it is", field="data") from None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def _of_batch(n: int, make: Callable[[T], V], item: T) -> V:
    """Return what `make` makes of the n-th item of a batch; what it finds wrong is named with that place."""
    try:
        return make(item)
    except Invalid as wrong:
        raise Invalid(
            [
                Fault(code=fault.code, detail=fault.detail, field=f"{n}.{fault.field}" if fault.field else str(n))
                for fault in wrong.faults
            ]
        ) from None


def _wrong(name: str, detail: str) -> Fault:
    return Fault(code="event.attribute_invalid", detail=detail, field=name)


class CloudEventsReceiver:
    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet

    @answers_in(plain_form, source=SOURCE)
    async def cloudevents_receive(self, request: Request) -> Response:
        """Take an event or a batch: all of it or nothing."""
        route = await routed(self._inlet, request)
        body = await read_body(request)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media == BATCH:
            events = batch(loads(body))
            signals = [_of_batch(n, translate, event) for n, event in enumerate(events)]
        else:
            events = [structured(loads(body)) if media == STRUCTURED else binary(request.headers, body)]
            signals = [translate(events[0])]
        named = [replace(s, signal_id=signal_id(e, route)) for s, e in zip(signals, events, strict=True)]
        parent = traceparent(request.headers.get("traceparent"))
        return taken(await self._inlet.take(named, route, source=SOURCE, traceparent=parent))
