"""Datadog's monitor webhook, with the documented custom payload or the one that Datadog sends by default.

Source of the rules: Datadog documentation, "Webhooks integration". A variable that Datadog does not fill comes as its
own name ("$ALERT_ID") or empty; both mean that it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.http import read_json
from sources import limits, severity
from sources.base import Inlet, traceparent
from sources.receiver import answers_in, plain_form, routed, taken
from sources.signal import Signal, invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.text import shorten

SOURCE: Final = "datadog"
HEADER: Final = "DD-ROUTING-KEY"

_TRANSITIONS: Final[Mapping[str, Action]] = {
    "triggered": Action.TRIGGER,
    "re-triggered": Action.TRIGGER,
    "no data": Action.TRIGGER,
    "re-no data": Action.TRIGGER,
    "warn": Action.TRIGGER,
    "re-warn": Action.TRIGGER,
    "renotify": Action.TRIGGER,
    "re-notify": Action.TRIGGER,
    "recovered": Action.RESOLVE,
    "acknowledged": Action.ACKNOWLEDGE,
}
_PRIORITIES: Final[Mapping[str, Priority]] = {
    "triggered": Priority.P2,
    "re-triggered": Priority.P2,
    "warn": Priority.P3,
    "re-warn": Priority.P3,
    "no data": Priority.P3,
    "re-no data": Priority.P3,
}
"""Of a monitor that has no priority of its own."""

# "[P2] [Re-Triggered on {host:web-1}] CPU is high": what the default payload says of the transition, it says here.
_TITLE: Final = re.compile(
    r"^\s*(?:\[(?P<priority>P[1-5])\]\s*)?\[(?P<transition>[A-Za-z -]+?)(?:\s+on\s+\{(?P<scope>[^}]*)\})?\]\s*(?P<name>.*)$",
    re.DOTALL,
)
_UNFILLED: Final = re.compile(r"\$[A-Z][A-Z0-9_]*(\[[^\]]*\])?")
_KEPT: Final = (
    "alert_id",
    "alert_cycle_key",
    "alert_metric",
    "alert_query",
    "alert_status",
    "alert_type",
    "alert_transition",
    "event_type",
    "id",
    "date",
    "last_updated",
    "link",
    "snapshot",
)


def translate(raw: Any) -> Signal:
    """Return the signal of a notification. Raises Invalid. Texts over a limit are cut.

    dedup_key: "ALERT_ID:SCOPE", so that each group of a multi alert is an alert of its own; without an id, "title:" and
    the monitor's name and scope as the title has them.
    """
    if not isinstance(raw, dict):
        raise invalid("request.not_object", "the body must be a JSON object")
    said = {name: text for name, value in raw.items() if (text := _text(value))}
    title = said.get("title") or said.get("alert_title") or ""
    if limits.blank(title):
        raise invalid("notification.title_missing", "is missing or blank", field="title")
    parts = _TITLE.match(title)
    found = {name: part or "" for name, part in parts.groupdict().items()} if parts else {"name": title}
    transition = (said.get("alert_transition") or found.get("transition", "")).strip()
    action = _action(transition, said.get("alert_type", ""))
    scope = said.get("alert_scope", "") if "alert_scope" in raw else found.get("scope", "")
    named = f"{said['alert_id']}:{scope}" if "alert_id" in said else f"title:{found['name'].strip()}:{scope}"
    tags = said.get("tags", "")
    labels = _labels(scope) | _labels(tags)
    if "hostname" in said:
        labels.setdefault("host", said["hostname"])
    return Signal(
        action=action,
        dedup_key=limits.fit_key(named),
        summary=shorten(title, limits.SUMMARY),
        description=shorten(said.get("body", ""), limits.DESCRIPTION),
        priority=severity.priority(said.get("alert_priority", "") or found.get("priority", ""))
        or _PRIORITIES.get(transition.lower(), Priority.NOT_DEFINED),
        labels=limits.fit_labels(labels),
        details=limits.fit_details(
            {
                **{name: said[name] for name in _KEPT if name in said},
                "scope": scope,
                "tags": tags,
                "org": raw.get("org"),
            }
        ),
    )


def _action(transition: str, alert_type: str) -> Action:
    action = _TRANSITIONS.get(transition.lower())
    if action is not None:
        return action
    if not transition and alert_type in {"error", "warning", "success"}:
        return Action.RESOLVE if alert_type == "success" else Action.TRIGGER
    known = ", ".join(word.title() for word in _TRANSITIONS)
    wrong = f"{shorten(transition, 40)!r} is none of: {known}" if transition else f"is missing; one of: {known}"
    raise invalid("notification.transition_unknown", wrong, field="alert_transition")


def _labels(tags: str) -> dict[str, str]:
    """Return "a:1,b:2,a:3,c" as {"a": "1,3", "b": "2", "tags": "c"}."""
    labels: dict[str, str] = {}
    for tag in tags.split(","):
        name, colon, value = tag.strip().partition(":")
        name, value = (name, value) if colon and name else ("tags", name or value)
        if value and value not in labels.get(name, "").split(","):
            labels[name] = f"{labels[name]},{value}" if name in labels else value
    return labels


def _text(value: Any) -> str:
    """Return a filled variable as text, empty where there is none."""
    match value:
        case bool() | None:
            return ""
        case str():
            return "" if _UNFILLED.fullmatch(value.strip()) or value.strip() == "null" else value
        case int() | float():
            return str(value)
        case _:
            return ""


class DatadogReceiver:
    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet

    @answers_in(plain_form, source=SOURCE)
    async def datadog_webhook(self, request: Request) -> Response:
        """Take a notification. Datadog sends again on 5xx alone."""
        route = await routed(self._inlet, request, HEADER)
        signal = translate(await read_json(request))
        parent = traceparent(request.headers.get("traceparent"))
        return taken(await self._inlet.take([signal], route, source=SOURCE, traceparent=parent))
