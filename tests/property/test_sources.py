"""Whatever is sent, a source answers with a signal or with what is wrong: never with a 500."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.signal import AlertSignal
from sources import alertmanager, cloudevents, datadog, limits, opsgenie, pagerduty
from sources.base import Command
from sources.kafka import Dead, Raw, decode, judge
from sources.signal import Invalid, Signal
from tests.fakes.edge import KEY, TENANT, Edge, route

TEXT = st.text(max_size=30) | st.sampled_from(["", "trigger", "resolve", "P1", "critical", "1.0", "a.triggered", KEY])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def shaped(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with these names, each there or not, now and then with anything as its value."""
    return st.fixed_dictionaries({}, optional={name: value | JSON for name, value in fields.items()})


ACTIONS = st.sampled_from(["trigger", "acknowledge", "resolve"])
PAYLOAD = shaped(
    summary=TEXT,
    source=TEXT,
    severity=st.sampled_from(["critical", "info"]),
    timestamp=st.datetimes().map(str) | TEXT,
    custom_details=JSON,
)
PAGERDUTY = shaped(
    routing_key=st.just(KEY), event_action=ACTIONS, dedup_key=TEXT, payload=PAYLOAD, links=st.lists(shaped(href=TEXT))
)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=5)
ALERT = shaped(
    status=st.sampled_from(["firing", "resolved"]),
    labels=TEXTS,
    annotations=TEXTS,
    startsAt=st.datetimes().map(lambda at: at.isoformat() + "Z"),
    fingerprint=TEXT,
)
ALERTMANAGER = shaped(version=st.just("4"), alerts=st.lists(ALERT, max_size=3), groupKey=TEXT, groupLabels=TEXTS)
OPSGENIE = shaped(message=TEXT, alias=TEXT, priority=st.sampled_from(["P1", "P5"]), details=TEXTS, tags=st.lists(TEXT))
DATADOG = shaped(
    title=TEXT,
    alert_id=TEXT | st.integers(),
    alert_transition=st.sampled_from(["Triggered", "Recovered", "No Data"]),
    alert_scope=TEXT,
    tags=TEXT,
    org=JSON,
)
EVENT = shaped(
    specversion=st.just("1.0"),
    id=TEXT,
    source=TEXT,
    type=st.sampled_from(["a.triggered", "a.resolved"]),
    subject=TEXT,
    data=JSON,
    time=st.datetimes().map(str),
)


def within_limits(signal: Signal) -> None:
    assert signal.dedup_key != ""
    assert len(signal.dedup_key or "") <= opsgenie.ALIAS
    assert len(signal.summary) <= limits.SUMMARY
    assert limits.label_faults(signal.labels) == []
    assert len(signal.details) <= limits.DETAILS_BYTES
    assert signal.starts_at is None or 0 <= signal.starts_at < limits.LAST_INSTANT
    if signal.details:
        assert isinstance(orjson.loads(signal.details), dict)


def judged(translate: Callable[[Any], Sequence[Signal]], raw: Any) -> Sequence[Signal] | None:
    """Return the signals of what was sent, None where it is invalid and every fault says something."""
    try:
        signals = translate(raw)
    except Invalid as wrong:
        return None if wrong.faults and all(fault.text for fault in wrong.faults) else ()
    for signal in signals:
        within_limits(signal)
    return signals


@given(PAGERDUTY | JSON)
def test_any_pagerduty_event_is_a_signal_or_invalid(raw: Any) -> None:
    assert judged(lambda raw: [pagerduty.translate(raw)], raw) != ()


@given(ALERTMANAGER | JSON)
def test_any_notification_of_alertmanager_is_signals_or_invalid(raw: Any) -> None:
    signals = judged(alertmanager.translate, raw)
    assert signals is None or len(signals) == len(raw["alerts"])


@given(OPSGENIE | JSON)
def test_any_opsgenie_alert_is_a_signal_or_invalid(raw: Any) -> None:
    assert judged(lambda raw: [opsgenie.translate(raw)], raw) != ()


@given(DATADOG | JSON)
def test_any_notification_of_datadog_is_a_signal_or_invalid(raw: Any) -> None:
    assert judged(lambda raw: [datadog.translate(raw)], raw) != ()


@given(EVENT | JSON)
def test_any_cloudevent_is_a_signal_or_invalid(raw: Any) -> None:
    assert judged(lambda raw: [cloudevents.translate(cloudevents.structured(raw))], raw) != ()


@pytest.mark.parametrize(
    ("path", "kind", "bodies"),
    [
        ("/v2/enqueue", "application/json", PAGERDUTY),
        ("/v2/alerts", "application/json", OPSGENIE),
        ("/v2/alerts/x/close?identifierType=alias", "application/json", OPSGENIE),
        ("/sources/alertmanager", "application/json", ALERTMANAGER),
        ("/sources/datadog", "application/json", DATADOG),
        ("/sources/cloudevents", cloudevents.STRUCTURED, EVENT),
        ("/sources/cloudevents", cloudevents.BATCH, st.lists(EVENT, max_size=3)),
        ("/sources/cloudevents", "application/json", JSON),
    ],
)
@settings(max_examples=40)
@given(data=st.data())
def test_no_body_makes_a_500(path: str, kind: str, bodies: st.SearchStrategy[Any], data: st.DataObject) -> None:
    edge = Edge()
    body = data.draw(bodies.map(orjson_or_none) | JSON.map(orjson_or_none) | st.binary(max_size=50))
    scheme = "GenieKey" if "alerts" in path else "Bearer"

    async def send() -> int:
        transport = httpx.ASGITransport(edge.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"Authorization": f"{scheme} {KEY}", "Content-Type": kind}
            return (await client.post(path, content=body, headers=headers)).status_code

    status = asyncio.run(send())
    assert status in {202, 400, 413, 422}
    assert (status == 202) or not edge.log.records
    for envelope, _ in edge.log.signals():
        assert envelope.tenant_id == TENANT


def orjson_or_none(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer that JSON of this library cannot hold
        return b"null"


SIGNALS = st.builds(
    AlertSignal,
    routing_key=TEXT,
    action=ACTIONS | TEXT,
    dedup_key=st.none() | TEXT,
    summary=TEXT,
    description=TEXT,
    severity=st.none() | TEXT,
    priority=st.none() | TEXT,
    source=st.none() | TEXT,
    starts_at=st.none() | st.integers(-(2**63), 2**63 - 1),
    labels=TEXTS,
    details=TEXT | JSON.map(lambda value: orjson_or_none(value).decode()),
    signal_id=st.none() | st.uuids().map(str) | TEXT,
)


@given(
    signal=SIGNALS,
    partition=st.integers(0, 9),
    offset=st.integers(0, 2**40),
    timestamp=st.integers(-1, 2**62),
    foreign=st.booleans(),
)
def test_any_public_record_is_a_command_or_a_dead_letter_with_a_receipt(
    signal: AlertSignal, partition: int, offset: int, timestamp: int, *, foreign: bool
) -> None:
    raw = Raw(partition, offset, timestamp, None, codec.encode_row(signal))
    assert decode(raw.value) == signal
    end = judge(signal, route(), raw, foreign=foreign)
    assert end == judge(signal, route(), raw, foreign=foreign)
    match end:
        case Command():
            assert not foreign
            assert codec.decode(end.value).envelope.tenant_id == TENANT
        case Dead():
            assert end.receipt is not None
            assert codec.decode(end.receipt[1]).envelope.tenant_id == TENANT


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_undecodable(value: bytes) -> None:
    for framed in (value, b"\x00\x00\x00\x00\x01" + value):
        try:
            decode(framed)
        except codec.Undecodable:
            continue
