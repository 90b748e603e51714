"""PagerDuty's events: every rule of the API, and its answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from sources.pagerduty import translate
from sources.signal import Invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.ids import routing_hash
from tests.fakes.edge import KEY, OTHER_KEY, OTHER_TENANT, TENANT, Edge

PAYLOAD: dict[str, Any] = {
    "summary": "Example alert on host1.example.com",
    "timestamp": "2015-07-17T08:42:58.315+0000",
    "source": "prod:cluster/api-003",
    "severity": "info",
    "component": "postgres",
    "group": "prod-datapipe",
    "class": "deploy",
    "custom_details": {"ping time": "1500ms", "load avg": 0.75},
}
TRIGGER: dict[str, Any] = {
    "payload": PAYLOAD,
    "routing_key": KEY,
    "dedup_key": "samplekeyhere",
    "images": [{"src": "https://example.com/logo.png", "href": "https://example.com/", "alt": "Example text"}],
    "links": [{"href": "https://example.com/", "text": "Link text"}],
    "event_action": "trigger",
    "client": "Sample Monitoring Service",
    "client_url": "https://monitoring.example.com",
}


def trigger(**payload: Any) -> dict[str, Any]:
    return {**TRIGGER, "payload": {**PAYLOAD, **payload}}


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


def test_the_documented_example_is_translated_whole() -> None:
    signal = translate(TRIGGER)
    assert (signal.action, signal.dedup_key) == (Action.TRIGGER, "samplekeyhere")
    assert signal.summary == "Example alert on host1.example.com"
    assert signal.priority is Priority.P4
    assert signal.labels == {
        "source": "prod:cluster/api-003",
        "severity": "info",
        "component": "postgres",
        "group": "prod-datapipe",
        "class": "deploy",
    }
    assert orjson.loads(signal.details) == {
        "timestamp": "2015-07-17T08:42:58.315+0000",
        "custom_details": {"ping time": "1500ms", "load avg": 0.75},
        "client": "Sample Monitoring Service",
        "client_url": "https://monitoring.example.com",
        "links": [{"href": "https://example.com/", "text": "Link text"}],
        "images": [{"src": "https://example.com/logo.png", "href": "https://example.com/", "alt": "Example text"}],
    }
    assert signal.starts_at is None, "episodes go by arrival: a timestamp may be of an earlier measurement"


@pytest.mark.parametrize(
    ("severity", "priority"),
    [("critical", Priority.P1), ("error", Priority.P2), ("warning", Priority.P3), ("info", Priority.P4)],
)
def test_each_severity_has_its_priority(severity: str, priority: Priority) -> None:
    assert translate(trigger(severity=severity)).priority is priority


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_what_follows_needs_no_payload(action: str) -> None:
    event = {"routing_key": KEY, "event_action": action, "dedup_key": "k"}
    assert translate(event).action == action
    assert translate({**event, "payload": {"severity": "nonsense"}}).action == action


CASES: list[tuple[str, Any, str]] = [
    ("no object", ["trigger"], "The event must be a JSON object"),
    ("no routing key", without(TRIGGER, "routing_key"), "'routing_key' is missing or blank"),
    ("a blank routing key", {**TRIGGER, "routing_key": " "}, "'routing_key' is missing or blank"),
    ("a routing key that is a number", {**TRIGGER, "routing_key": 7}, "'routing_key' is invalid"),
    ("no action", without(TRIGGER, "event_action"), "'event_action' is missing or blank"),
    ("another action", {**TRIGGER, "event_action": "close"}, "'event_action' is invalid"),
    ("no payload", without(TRIGGER, "payload"), "'payload' is missing or blank"),
    ("a payload that is a text", {**TRIGGER, "payload": "x"}, "'payload' is invalid"),
    ("no summary", {**TRIGGER, "payload": without(PAYLOAD, "summary")}, "'payload.summary' is missing or blank"),
    ("a blank summary", trigger(summary=" \u202e\x00 "), "'payload.summary' is missing or blank"),
    ("a long summary", trigger(summary="s" * 1025), "Length of 'payload.summary' is incorrect (should be at most 1024"),
    ("no source", {**TRIGGER, "payload": without(PAYLOAD, "source")}, "'payload.source' is missing or blank"),
    ("no severity", {**TRIGGER, "payload": without(PAYLOAD, "severity")}, "'payload.severity' is missing or blank"),
    ("another severity", trigger(severity="fatal"), "'payload.severity' is invalid"),
    ("a wrong timestamp", trigger(timestamp="yesterday"), "'payload.timestamp' is not an ISO 8601 instant"),
    ("a long component", trigger(component="c" * 1025), "Length of 'payload.component' is incorrect"),
    ("a class that is a list", trigger(**{"class": []}), "'payload.class' is invalid"),
    ("a long key", {**TRIGGER, "dedup_key": "k" * 256}, "Length of 'dedup_key' is incorrect (should be at most 255"),
    ("a key that is a number", {**TRIGGER, "dedup_key": 5}, "'dedup_key' is invalid"),
    ("a link without href", {**TRIGGER, "links": [{"text": "x"}]}, "'links.0.href' is missing or blank"),
    ("images that are an object", {**TRIGGER, "images": {}}, "'images' is invalid"),
    (
        "acknowledge without a key",
        {"routing_key": KEY, "event_action": "acknowledge"},
        "'dedup_key' is missing or blank",
    ),
    (
        "resolve with a blank key",
        {"routing_key": KEY, "event_action": "resolve", "dedup_key": ""},
        "'dedup_key' is missing or blank",
    ),
]


@pytest.mark.parametrize(("event", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_wrong_event_is_refused_in_pagerdutys_form(
    client: httpx.AsyncClient, edge: Edge, event: Any, said: str
) -> None:
    answer = await client.post("/v2/enqueue", json=event)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["message"]) == ("invalid event", "Event object is invalid")
    assert any(error.startswith(said) for error in body["errors"]), body["errors"]
    assert edge.log.records == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        translate({"event_action": "trigger", "payload": {"severity": "x"}, "dedup_key": "k" * 300})
    assert {fault.field for fault in wrong.value.faults} == {
        "routing_key",
        "dedup_key",
        "payload.summary",
        "payload.source",
        "payload.severity",
    }


async def test_limits_themselves_are_allowed(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/v2/enqueue", json={**trigger(summary="s" * 1024), "dedup_key": "k" * 255})
    assert answer.status_code == 202
    ((envelope, signal),) = edge.log.signals()
    assert signal.dedup_key == "k" * 255
    assert envelope.aggregate_id == f"{routing_hash(KEY)}/{'k' * 255}"


async def test_a_trigger_is_answered_as_pagerduty_does(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/v2/enqueue", json=TRIGGER)
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "samplekeyhere"}
    ((topic, key, _),) = edge.log.records
    assert (topic, key) == ("alert.commands", f"{TENANT}/{routing_hash(KEY)}/samplekeyhere")
    ((envelope, signal),) = edge.log.signals()
    assert (envelope.source, envelope.actor, envelope.tenant_id) == ("pagerduty", "integration:pagerduty", TENANT)
    assert envelope.id == envelope.correlation_id == answer.headers["X-Signal-Id"]
    assert envelope.origin is None
    assert (signal.project_key, signal.action) == ("OPS", Action.TRIGGER)
    assert KEY not in repr(edge.log.records), "a routing key is a secret"


async def test_a_trigger_without_a_key_gets_one_of_the_servers(client: httpx.AsyncClient, edge: Edge) -> None:
    first, second = [(await client.post("/v2/enqueue", json=without(TRIGGER, "dedup_key"))).json() for _ in range(2)]
    assert first["dedup_key"] != second["dedup_key"]
    assert str(UUID(first["dedup_key"])) == first["dedup_key"]
    assert [signal.dedup_key for _, signal in edge.log.signals()] == [first["dedup_key"], second["dedup_key"]]


@pytest.mark.parametrize("key", ["a/b/c", "🔥 disk full", "|rules/OPS", "ключ", "a\x00b", " ", "x" * 255])
async def test_a_dedup_key_may_hold_anything(client: httpx.AsyncClient, edge: Edge, key: str) -> None:
    answer = await client.post("/v2/enqueue", json={**TRIGGER, "dedup_key": key})
    assert answer.status_code == 202
    assert answer.json()["dedup_key"] == key
    assert edge.log.records[0][1] == f"{TENANT}/{routing_hash(KEY)}/{key}"


async def test_an_unknown_routing_key_is_refused(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/v2/enqueue", json={**TRIGGER, "routing_key": "f" * 32})
    assert answer.status_code == 400
    assert answer.json()["errors"] == ["Invalid routing key"]
    assert edge.log.records == []


async def test_the_key_decides_the_tenant_whatever_the_body_says(client: httpx.AsyncClient, edge: Edge) -> None:
    event = {**TRIGGER, "routing_key": OTHER_KEY, "tenant_id": TENANT, "tenant": TENANT}
    assert (await client.post("/v2/enqueue", json=event)).status_code == 202
    ((envelope, _),) = edge.log.signals()
    assert envelope.tenant_id == OTHER_TENANT


async def test_a_payload_over_512_kb_is_refused_with_the_limit(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v2/enqueue", json=trigger(custom_details={"x": "y" * 600_000}))
    assert answer.status_code == 413
    assert answer.json()["status"] == "invalid event"
    assert "524288" in answer.json()["errors"][0]


async def test_details_just_under_the_limit_are_taken(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/v2/enqueue", json=trigger(custom_details={"x": "y" * 500_000}))
    assert answer.status_code == 202
    assert len(edge.log.records[0][2]) < 1_000_000


async def test_details_that_are_nested_too_deeply_are_refused(client: httpx.AsyncClient) -> None:
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    body = (
        orjson.dumps(TRIGGER)[:-1] + b',"payload":' + orjson.dumps(PAYLOAD)[:-1] + b',"custom_details":' + deep + b"}}"
    )
    answer = await client.post("/v2/enqueue", content=body)
    assert answer.status_code == 400
    assert "nested too deeply" in answer.json()["errors"][0]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": "\\ud800"}', b"[" * 100_000])
async def test_what_is_not_json_is_400(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v2/enqueue", content=body)
    assert answer.status_code == 400
    assert answer.json()["message"] == "Event object is invalid"


async def test_while_the_broker_is_away_the_sender_is_told_to_repeat(client: httpx.AsyncClient, edge: Edge) -> None:
    edge.log.away = 1
    answer = await client.post("/v2/enqueue", json=TRIGGER)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert edge.log.records == []
    assert (await client.post("/v2/enqueue", json=TRIGGER)).status_code == 202


async def test_no_key_is_waved_through_while_the_database_is_away(client: httpx.AsyncClient, edge: Edge) -> None:
    edge.gate.away = True
    assert (await client.post("/v2/enqueue", json=TRIGGER)).status_code == 503
    assert edge.log.records == []


async def test_a_trace_goes_along(client: httpx.AsyncClient, edge: Edge) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await client.post("/v2/enqueue", json=TRIGGER, headers={"traceparent": parent})
    await client.post("/v2/enqueue", json=TRIGGER, headers={"traceparent": "no"})
    assert [envelope.traceparent for envelope, _ in edge.log.signals()] == [parent, None]
