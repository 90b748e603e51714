"""CloudEvents in all three modes, what they say as alerts, and what is no event."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import orjson
import pytest

from sources.cloudevents import BATCH, BATCH_EVENTS, STRUCTURED, signal_id, structured, translate
from sources.signal import Invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from tests.fakes.edge import KEY, OTHER_KEY, OTHER_TENANT, Edge, route

BEARER = {"Authorization": f"Bearer {KEY}"}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "com.example.disk.triggered",
    "source": "/hosts/db-1",
    "id": "A234-1234-1234",
    "subject": "disk/full",
    "time": "2018-04-05T17:31:00Z",
    "severity": "error",
    "datacontenttype": "application/json",
    "data": {
        "summary": "Disk is full",
        "description": "95 %",
        "labels": {"region": "eu"},
        "starts_at": "2018-04-05T17:30:00Z",
    },
}


def event(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**EVENT, **changed}.items() if value is not ...}


def test_an_event_is_translated_whole() -> None:
    signal = translate(structured(EVENT))
    assert (signal.action, signal.dedup_key) == (Action.TRIGGER, "disk/full")
    assert (signal.summary, signal.description) == ("Disk is full", "95 %")
    assert signal.priority is Priority.P2
    assert signal.labels == {"source": "/hosts/db-1", "type": "com.example.disk.triggered", "region": "eu"}
    assert signal.starts_at == 1_522_949_400_000_000
    kept = orjson.loads(signal.details)
    assert kept["event"]["id"] == "A234-1234-1234"
    assert kept["data"]["summary"] == "Disk is full"


@pytest.mark.parametrize(
    ("changed", "action"),
    [
        ({"type": "x.triggered"}, Action.TRIGGER),
        ({"type": "x.acknowledged"}, Action.ACKNOWLEDGE),
        ({"type": "x.resolved"}, Action.RESOLVE),
        ({"type": "x.triggered", "action": "resolve"}, Action.RESOLVE),
        ({"type": "anything", "action": "trigger"}, Action.TRIGGER),
    ],
)
def test_the_action_is_the_extension_or_the_types_end(changed: dict[str, str], action: Action) -> None:
    assert translate(structured(event(**changed))).action is action


def test_the_dedup_key_is_the_extension_or_the_subject() -> None:
    assert translate(structured(event(dedupkey="k"))).dedup_key == "k"
    assert translate(structured(event(subject=...))).dedup_key is None


@pytest.mark.parametrize(
    ("changed", "summary"),
    [
        ({"summary": "of the extension"}, "of the extension"),
        ({"data": {"title": "T"}}, "T"),
        ({"data": {"message": "M"}}, "M"),
        ({"data": "text"}, "com.example.disk.triggered disk/full"),
    ],
)
def test_the_summary_is_the_first_text_there_is(changed: dict[str, Any], summary: str) -> None:
    assert translate(structured(event(**changed))).summary == summary


@pytest.mark.parametrize(
    ("changed", "priority"),
    [
        ({"priority": "P5"}, Priority.P5),
        ({"severity": "critical"}, Priority.P1),
        ({"severity": ..., "data": {"priority": "p1"}}, Priority.P1),
        ({"severity": "odd"}, Priority.NOT_DEFINED),
    ],
)
def test_the_priority_is_named_or_of_the_severity(changed: dict[str, Any], priority: Priority) -> None:
    assert translate(structured(event(**changed))).priority is priority


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"specversion": ...}, "specversion"),
    ({"specversion": "0.3"}, "specversion"),
    ({"id": ...}, "id"),
    ({"id": ""}, "id"),
    ({"id": 5}, "id"),
    ({"source": ...}, "source"),
    ({"type": ...}, "type"),
    ({"type": "com.example.disk.changed"}, "type"),
    ({"action": "close"}, "action"),
    ({"time": "noon"}, "time"),
    ({"time": 5}, "time"),
    ({"startsat": "noon"}, "startsat"),
    ({"subject": "s" * 256}, "subject"),
    ({"dedupkey": "s" * 256}, "dedupkey"),
    ({"type": "x.resolved", "subject": ...}, "subject"),
    ({"Bad_Name": "x"}, "Bad_Name"),
    ({"nested": {"a": 1}}, "nested"),
    ({"ratio": 1.5}, "ratio"),
    ({"long": "x" * 1025}, "long"),
    ({"data_base64": "!!", "data": ...}, "data_base64"),
    ({"data_base64": "e30="}, "data_base64"),
    ({"data": {"labels": {f"l{n}": "v" for n in range(201)}}}, "data.labels"),
    ({"data": {"x": "y" * 600_000}}, "data"),
]


@pytest.mark.parametrize(("changed", "field"), WRONG, ids=[f"{n}-{case[1]}" for n, case in enumerate(WRONG)])
async def test_an_invalid_event_is_400_naming_the_attribute(
    client: httpx.AsyncClient, edge: Edge, changed: dict[str, Any], field: str
) -> None:
    headers = {**BEARER, "Content-Type": STRUCTURED}
    answer = await client.post("/sources/cloudevents", content=json.dumps(event(**changed)), headers=headers)
    assert answer.status_code == 400
    assert field in [detail.get("field") for detail in answer.json()["details"]]
    assert edge.log.records == []


async def test_structured_mode(client: httpx.AsyncClient, edge: Edge) -> None:
    headers = {**BEARER, "Content-Type": f"{STRUCTURED}; charset=utf-8"}
    answer = await client.post("/sources/cloudevents", content=json.dumps(EVENT), headers=headers)
    assert answer.status_code == 202
    ((envelope, signal),) = edge.log.signals()
    assert envelope.id == answer.headers["X-Signal-Id"] == answer.json()["signals"][0]["signal_id"]
    assert (signal.dedup_key, envelope.source) == ("disk/full", "cloudevents")


async def test_binary_mode(client: httpx.AsyncClient, edge: Edge) -> None:
    attributes = {f"ce-{n}": v for n, v in EVENT.items() if n not in {"data", "datacontenttype"}}
    attributes["ce-subject"] = "Euro%20%E2%82%AC%20%F0%9F%98%80"
    headers = {**BEARER, "Content-Type": "application/json", **attributes}
    answer = await client.post("/sources/cloudevents", content=json.dumps(EVENT["data"]), headers=headers)
    assert answer.status_code == 202
    ((_, signal),) = edge.log.signals()
    assert (signal.dedup_key, signal.summary.text) == ("Euro € 😀", "Disk is full")


@pytest.mark.parametrize(
    ("content", "kind", "kept"),
    [
        (b"plain words", "text/plain", "plain words"),
        (b"\xff\x00", "application/octet-stream", base64.b64encode(b"\xff\x00").decode()),
        (b"", "", None),
        (b"<a/>", "application/xml", "<a/>"),
        (b'{"a":1}', "application/vnd.x+json", {"a": 1}),
    ],
)
async def test_data_of_any_kind_is_kept(
    client: httpx.AsyncClient, edge: Edge, content: bytes, kind: str, kept: Any
) -> None:
    attributes = {f"ce-{n}": v for n, v in EVENT.items() if n not in {"data", "datacontenttype"}}
    headers = {**BEARER, **attributes, **({"Content-Type": kind} if kind else {})}
    answer = await client.post("/sources/cloudevents", content=content, headers=headers)
    assert answer.status_code == 202
    ((_, signal),) = edge.log.signals()
    assert orjson.loads(signal.details.content).get("data") == kept


async def test_binary_mode_without_attributes_is_no_event(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sources/cloudevents", json={"a": 1}, headers=BEARER)
    assert answer.status_code == 400
    assert [detail["field"] for detail in answer.json()["details"]][:4] == ["specversion", "id", "source", "type"]


async def test_data_that_is_not_what_it_says_is_refused(client: httpx.AsyncClient) -> None:
    headers = {**BEARER, "ce-specversion": "1.0", "Content-Type": "application/json"}
    answer = await client.post("/sources/cloudevents", content=b"{", headers=headers)
    assert answer.json()["details"][0]["field"] == "data"
    headers |= {"ce-subject": "%ff"}
    answer = await client.post("/sources/cloudevents", content=b"{}", headers=headers)
    assert answer.json()["details"][0]["field"] == "ce-subject"


async def test_batch_mode(client: httpx.AsyncClient, edge: Edge) -> None:
    events = [event(id="1"), event(id="2", type="x.resolved"), event(id="3", subject="other")]
    headers = {**BEARER, "Content-Type": BATCH}
    answer = await client.post("/sources/cloudevents", content=json.dumps(events), headers=headers)
    assert answer.status_code == 202
    assert [s["action"] for s in answer.json()["signals"]] == ["trigger", "resolve", "trigger"]
    assert len(edge.log.records) == 3


@pytest.mark.parametrize(
    ("batch", "field"),
    [
        ([EVENT, event(id=...)], "1.id"),
        ([EVENT, 5], "1"),
        ({"a": 1}, None),
        ([EVENT] * (BATCH_EVENTS + 1), "body"),
    ],
    ids=["one wrong", "one no object", "no array", "too many"],
)
async def test_a_batch_is_taken_whole_or_not_at_all(
    client: httpx.AsyncClient, edge: Edge, batch: Any, field: str | None
) -> None:
    headers = {**BEARER, "Content-Type": BATCH}
    answer = await client.post("/sources/cloudevents", content=json.dumps(batch), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["details"][0].get("field") == field
    assert edge.log.records == []


def test_an_event_that_comes_again_is_the_same_signal() -> None:
    one = structured(EVENT)
    assert signal_id(one, route()) == signal_id(structured(event(time=...)), route())
    others = [
        signal_id(structured(event(id="other")), route()),
        signal_id(structured(event(source="/hosts/db-1/A234-1234-1234", id="")), route()),
        signal_id(one, route(OTHER_KEY)),
        signal_id(one, route(KEY, OTHER_TENANT)),
    ]
    assert len({signal_id(one, route()), *others}) == 5
    split = structured(event(source="a/b", id="c")), structured(event(source="a", id="b/c"))
    assert signal_id(split[0], route()) != signal_id(split[1], route())


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        translate(structured({}))
    assert {"specversion", "id", "source", "type"} <= {fault.field for fault in wrong.value.faults}
