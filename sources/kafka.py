"""What a record of the public topic `alert.signals` comes to. Pure: the same record at the same place, the same bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

import orjson

from infra.runtime.auth import Route
from infra.runtime.problems import Fault
from schemas import codec
from schemas.signal import AlertSignal
from schemas.topics import GENERATION
from sources import limits, severity
from sources.base import Command, command
from sources.signal import Invalid, Signal, invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.envelope import Envelope, Origin
from streams.ids import NAMESPACE, aggregate_key, alert_id, derive
from streams.outcomes import Receipt, SignalSettled
from streams.topics import ALERT_SIGNALS

SOURCE: Final = "kafka"
GROUP: Final = "source.kafka.signals"

_ACTIONS: Final = {action.value: action for action in Action}
_TENANT_KEY: Final = re.compile(rb"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)")


class Raw(NamedTuple):
    """A record as Kafka has it, with where it stood. timestamp: milliseconds since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    generation: int = GENERATION

    @property
    def at(self) -> int:
        """Return microseconds since 1970, within the times that every reader can show."""
        return min(max(self.timestamp, 0) * 1000, limits.LAST_INSTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A record that cannot be taken: to the dead letters. receipt: where its tenant is known, the key and value of the
    record that settles the signal, so that it can be asked for.
    """

    cause: str
    reason: str
    receipt: tuple[str, bytes] | None = None


def decode(value: bytes | None) -> AlertSignal:
    """Return the public record. Raises `schemas.codec.Undecodable`, also where its schema is not known here."""
    if value is None:
        raise codec.Undecodable("there is no value")
    signal = codec.decode_row(value)
    if not isinstance(signal, AlertSignal):
        raise codec.Undecodable(f"a {type(signal).__name__}, not an AlertSignal")
    return signal


def named_tenant(key: bytes | None) -> tuple[str, bool] | None:
    """Return the tenant that a record's key may name, and whether it surely does ("TENANT/..."): a bare UUID may be
    anything. None where the key names none.
    """
    found = _TENANT_KEY.match(key or b"")
    return None if found is None else (found[1].decode().lower(), found[2] == b"/")


def judge(signal: AlertSignal, route: Route | None, raw: Raw, *, foreign: bool) -> Command | Dead:
    """Return the command for stage `alerts`, or why there is none.

    route: of the signal's routing key. foreign: the record's key names another tenant than the route.
    """
    if route is None:
        return Dead(cause="the routing key is not valid", reason="routing_key_unknown")
    own_id = derive(derive(str(NAMESPACE), ALERT_SIGNALS), raw.generation, raw.partition, raw.offset)
    signal_id = own_id
    try:
        if signal.signal_id is not None:
            signal_id = _uuid(signal.signal_id)
        if foreign:
            raise invalid(
                "key_names_another_tenant", "names another tenant than the routing key", field="the record's key"
            )
        return command(
            translate(signal),
            route,
            source=SOURCE,
            signal_id=signal_id,
            at=raw.at,
            origin=Origin(
                topic=ALERT_SIGNALS,
                generation=raw.generation,
                partition=raw.partition,
                offset=raw.offset,
                n=0,
            ),
        )
    except Invalid as wrong:
        fault = wrong.faults[0]
        reason = fault.code if fault.field is None else f"{fault.code}:{fault.field}"
        return Dead(cause=str(wrong), reason=fault.code, receipt=_settled(signal, route, signal_id, reason, raw))


def translate(signal: AlertSignal) -> Signal:
    """Return the signal of a public record. Raises Invalid with all that is wrong."""
    faults: list[Fault] = []
    action = _ACTIONS.get(signal.action)
    if action is None:
        faults.append(_wrong("action", "is none of trigger, acknowledge, resolve"))
    dedup_key = signal.dedup_key or None
    if dedup_key is None and action is not None and action is not Action.TRIGGER:
        faults.append(Fault(code="signal.field_missing", detail=f"is needed to {action.value}", field="dedup_key"))
    if action is Action.TRIGGER and limits.blank(signal.summary):
        faults.append(Fault(code="signal.field_missing", detail="is missing or blank", field="summary"))
    priority = _priority(signal, faults)
    if signal.starts_at is not None and not 0 <= signal.starts_at < limits.LAST_INSTANT:
        faults.append(_wrong("starts_at", "is not in the years 1970 to 2199; it counts microseconds"))
    named = {
        "source": signal.source,
        "component": signal.component,
        "group": signal.group,
        "class": signal.event_class,
    }
    labels = {**signal.labels, **{name: text for name, text in named.items() if text}}
    for name, text, limit in (
        ("dedup_key", dedup_key or "", limits.DEDUP_KEY),
        ("summary", signal.summary, limits.SUMMARY),
        ("description", signal.description, limits.DESCRIPTION),
    ):
        if len(text) > limit:
            faults.append(limits.over(name, len(text), limit))
    faults += limits.label_faults(labels)
    details = _details(signal.details, faults)
    if faults or action is None:
        raise Invalid(faults)
    return Signal(
        action=action,
        dedup_key=dedup_key,
        summary=signal.summary,
        description=signal.description,
        priority=priority,
        labels=labels,
        details=details,
        starts_at=signal.starts_at,
    )


def _priority(signal: AlertSignal, faults: list[Fault]) -> Priority:
    if signal.priority:
        named = severity.priority(signal.priority)
        if named is None:
            faults.append(_wrong("priority", "is none of P1, P2, P3, P4, P5"))
        return named or Priority.NOT_DEFINED
    if signal.severity:
        of_severity = severity.PAGERDUTY.get(signal.severity)
        if of_severity is None:
            faults.append(_wrong("severity", "is none of critical, error, warning, info"))
        return of_severity or Priority.NOT_DEFINED
    return Priority.NOT_DEFINED


def _details(text: str, faults: list[Fault]) -> bytes:
    if not text:
        return b""
    encoded = text.encode()
    if len(encoded) > limits.DETAILS_BYTES:
        faults.append(limits.over("details", len(encoded), limits.DETAILS_BYTES, "bytes"))
        return b""
    try:
        content = orjson.loads(encoded)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        faults.append(_wrong("details", "is not the text of a JSON object"))
    return encoded


def _settled(signal: AlertSignal, route: Route, signal_id: str, reason: str, raw: Raw) -> tuple[str, bytes]:
    """Return the record that settles a refused signal: of its alert where its key could be one, else of itself."""
    key = signal.dedup_key
    alert = alert_id(route.routing, key if key and len(key) <= limits.DEDUP_KEY else signal_id)
    envelope = Envelope(
        tenant_id=route.tenant_id,
        aggregate_id=alert,
        id=derive(signal_id, GROUP, 0),
        correlation_id=signal_id,
        causation_id=signal_id,
        source=GROUP,
        actor=f"integration:{SOURCE}",
        occurred_at=raw.at,
        recorded_at=raw.at,
    )
    settled = SignalSettled(signal_id=signal_id, receipt=Receipt.REJECTED, reason=reason)
    return aggregate_key(route.tenant_id, alert), codec.encode(envelope, settled)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Invalid([_wrong("signal_id", "is not a UUID")]) from None


def _wrong(field: str, detail: str) -> Fault:
    return Fault(code="signal.field_invalid", detail=detail, field=field)
