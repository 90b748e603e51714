"""Alertmanager's webhook, version 4 (and Grafana's, which has the same form): each alert of a notification is a signal.

Source of the rules: Prometheus documentation, "Alerting configuration: webhook_config". Peers of a highly available
Alertmanager repeat each other, also late: `startsAt` is the episode, not the order of arrival.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.http import read_json
from infra.runtime.problems import Fault
from sources import limits, severity
from sources.base import Inlet, traceparent
from sources.receiver import answers_in, plain_form, routed, taken
from sources.signal import Invalid, Signal
from streams.cases.commands import Action
from streams.text import shorten

SOURCE: Final = "alertmanager"
BODY_BYTES: Final = 4_000_000
"""A notification holds a whole group. One that is refused is not sent again, so this is generous."""
ALERTS: Final = 10_000
_ANNOTATION: Final = 4_096


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Alert(_Part):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: str = Field(alias="startsAt")
    ends_at: str | None = Field(None, alias="endsAt")
    generator_url: str | None = Field(None, alias="generatorURL")
    fingerprint: str | None = Field(None, max_length=limits.DEDUP_KEY)


class _Notification(_Part):
    version: Literal["4", "1"] = "4"
    alerts: list[_Alert] = Field(max_length=ALERTS)
    receiver: str | None = None
    group_key: str | None = Field(None, alias="groupKey")
    group_labels: dict[str, str] | None = Field(None, alias="groupLabels")
    external_url: str | None = Field(None, alias="externalURL")


def translate(raw: Any) -> list[Signal]:
    """Return a signal for each alert, in order. Raises Invalid with all that is wrong: then none is taken.

    dedup_key: the fingerprint, which is of the labels. Texts over a limit are cut, none is refused for its size.
    """
    try:
        notification = _Notification.model_validate(raw)
    except ValidationError as error:
        raise Invalid([_fault(e) for e in error.errors(include_url=False)]) from None
    faults = [
        Fault(code="alert.field_invalid", detail="is not an RFC 3339 instant", field=f"alerts.{n}.startsAt")
        for n, alert in enumerate(notification.alerts)
        if not _instant(alert.starts_at)[0]
    ]
    if faults:
        raise Invalid(faults)
    return [_signal(alert, notification) for alert in notification.alerts]


def _signal(alert: _Alert, notification: _Notification) -> Signal:
    notes, labels = alert.annotations, alert.labels
    summary = _first(notes.get("summary"), notes.get("title"), notes.get("message"), labels.get("alertname"))
    return Signal(
        action=Action.TRIGGER if alert.status == "firing" else Action.RESOLVE,
        dedup_key=alert.fingerprint or fingerprint(labels),
        summary=shorten(summary or "Alert without a name", limits.SUMMARY),
        description=shorten(_first(notes.get("description"), notes.get("message")), limits.DESCRIPTION),
        priority=severity.of_labels(labels),
        labels=limits.fit_labels(labels),
        details=limits.fit_details(
            {
                "generator_url": alert.generator_url,
                "external_url": notification.external_url,
                "receiver": notification.receiver,
                "group_key": notification.group_key,
                "group_labels": notification.group_labels,
                "ends_at": None if alert.status == "firing" else alert.ends_at,
                "annotations": {name: shorten(text, _ANNOTATION) for name, text in notes.items()},
            }
        ),
        starts_at=_instant(alert.starts_at)[1],
    )


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return what stands for these labels where the sender gives no fingerprint of its own (Alertmanager before 0.19)."""
    return sha256("\xff".join(f"{name}\xff{labels[name]}" for name in sorted(labels)).encode()).hexdigest()[:16]


def _instant(text: str) -> tuple[bool, int | None]:
    """Return whether it is an instant, and which; Go's zero time is one and says nothing."""
    if text.startswith("0001-01-01T00:00:00"):
        return True, None
    at = limits.instant(text)
    return at is not None, at


def _first(*texts: str | None) -> str:
    return next((text for text in texts if text and not limits.blank(text)), "")


def _fault(error: Any) -> Fault:
    field = ".".join(str(part) for part in error["loc"]) or "body"
    code = "alert.field_missing" if error["type"] == "missing" else "alert.field_invalid"
    if error["type"] == "too_long":
        code = "limit.exceeded"
    return Fault(code=code, detail=error["msg"], field=field)


class AlertmanagerReceiver:
    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet

    @answers_in(plain_form, source=SOURCE)
    async def alertmanager_webhook(self, request: Request) -> Response:
        """Take a notification: 202 once every signal of it is acked; 5xx makes Alertmanager send it again."""
        route = await routed(self._inlet, request)
        signals = translate(await read_json(request, BODY_BYTES))
        parent = traceparent(request.headers.get("traceparent"))
        return taken(await self._inlet.take(signals, route, source=SOURCE, traceparent=parent))
