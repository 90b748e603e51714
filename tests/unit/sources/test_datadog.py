"""Datadog's monitor webhook: the documented payload, the default one, and variables that were not filled."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from sources.datadog import translate
from sources.signal import Invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from tests.fakes.edge import KEY, Edge

CUSTOM: dict[str, Any] = {
    "alert_id": "1234",
    "alert_scope": "availability-zone:us-east-1a,role:computing-node",
    "alert_transition": "Triggered",
    "alert_type": "error",
    "alert_priority": "P2",
    "alert_metric": "system.load.1",
    "title": "[P2] [Triggered on {host:i-0123}] Load is high",
    "body": "system.load.1 over host:i-0123 was > 5",
    "hostname": "i-0123",
    "link": "https://app.datadoghq.com/monitors#1234",
    "tags": "monitor, name:myService, role:computing-node, team:a, team:b",
    "date": "1406662672000",
    "org": {"id": "11023", "name": "Datadog"},
}
DEFAULT: dict[str, Any] = {
    "body": "system.load.1 was > 5",
    "last_updated": "1406662672000",
    "event_type": "metric_alert_monitor",
    "title": "[Triggered on {host:web-1}] Load is high",
    "date": "1406662672000",
    "org": {"id": "11023", "name": "Datadog"},
    "id": "1234567",
}


def test_the_documented_payload_is_translated_whole() -> None:
    signal = translate(CUSTOM)
    assert signal.action is Action.TRIGGER
    assert signal.dedup_key == "1234:availability-zone:us-east-1a,role:computing-node"
    assert signal.summary == "[P2] [Triggered on {host:i-0123}] Load is high"
    assert signal.description == "system.load.1 over host:i-0123 was > 5"
    assert signal.priority is Priority.P2
    assert signal.labels == {
        "availability-zone": "us-east-1a",
        "role": "computing-node",
        "tags": "monitor",
        "name": "myService",
        "team": "a,b",
        "host": "i-0123",
    }
    assert orjson.loads(signal.details)["link"] == "https://app.datadoghq.com/monitors#1234"


@pytest.mark.parametrize(
    ("transition", "action"),
    [
        ("Triggered", Action.TRIGGER),
        ("Re-Triggered", Action.TRIGGER),
        ("No Data", Action.TRIGGER),
        ("Re-No Data", Action.TRIGGER),
        ("Warn", Action.TRIGGER),
        ("Re-Warn", Action.TRIGGER),
        ("Renotify", Action.TRIGGER),
        ("Recovered", Action.RESOLVE),
        ("RECOVERED ", Action.RESOLVE),
    ],
)
def test_each_transition_is_an_action(transition: str, action: Action) -> None:
    assert translate({**CUSTOM, "alert_transition": transition}).action is action


def test_the_end_of_an_alert_has_the_key_of_its_beginning() -> None:
    over = {**CUSTOM, "alert_transition": "Recovered", "title": "[Recovered on {host:i-0123}] Load is high"}
    assert translate(over).dedup_key == translate(CUSTOM).dedup_key


def test_the_default_payload_says_it_in_its_title() -> None:
    signal = translate(DEFAULT)
    assert (signal.action, signal.dedup_key) == (Action.TRIGGER, "title:Load is high:host:web-1")
    assert signal.labels == {"host": "web-1"}
    assert signal.priority is Priority.P2
    over = translate({**DEFAULT, "title": "[Recovered on {host:web-1}] Load is high"})
    assert (over.action, over.dedup_key) == (Action.RESOLVE, signal.dedup_key)
    warned = translate({**DEFAULT, "title": "[P4] [Re-Warn] Load is high"})
    assert (warned.action, warned.priority) == (Action.TRIGGER, Priority.P4)


def test_a_variable_that_was_not_filled_says_nothing() -> None:
    raw = {**CUSTOM, "alert_priority": "$ALERT_PRIORITY", "alert_scope": "", "hostname": "null", "tags": None}
    signal = translate(raw)
    assert signal.priority is Priority.P2
    assert signal.dedup_key == "1234:"
    assert signal.labels == {}


def test_numbers_are_texts() -> None:
    assert translate({**CUSTOM, "alert_id": 1234}).dedup_key == translate(CUSTOM).dedup_key


def test_a_long_scope_keeps_its_alerts_apart() -> None:
    scopes = [",".join(f"tag{n}:{'v' * 20}" for n in range(40)) + end for end in (",a:1", ",a:2")]
    keys = [translate({**CUSTOM, "alert_scope": scope}).dedup_key for scope in scopes]
    assert all(key is not None and len(key) == 255 for key in keys)
    assert keys[0] != keys[1]


def test_texts_over_a_limit_are_cut() -> None:
    raw = {**CUSTOM, "title": "t" * 5_000, "body": "b" * 100_000, "tags": ",".join(f"t{n}:v" for n in range(500))}
    signal = translate(raw)
    assert (len(signal.summary), len(signal.description), len(signal.labels)) == (1024, 30_000, 200)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], None),
        ({**CUSTOM, "title": " "}, "title"),
        ({"alert_transition": "Triggered"}, "title"),
        ({**CUSTOM, "alert_transition": "Exploded"}, "alert_transition"),
        ({"title": "Load is high", "alert_id": "1"}, "alert_transition"),
    ],
)
async def test_what_says_no_alert_is_refused(
    client: httpx.AsyncClient, edge: Edge, raw: Any, field: str | None
) -> None:
    answer = await client.post("/sources/datadog", json=raw, headers={"DD-ROUTING-KEY": KEY})
    assert answer.status_code == 400
    assert answer.json()["details"][0].get("field") == field
    assert edge.log.records == []


def test_without_a_transition_the_alert_type_tells() -> None:
    raw = {"title": "Load", "alert_id": "1"}
    assert translate({**raw, "alert_type": "success"}).action is Action.RESOLVE
    assert translate({**raw, "alert_type": "warning"}).action is Action.TRIGGER
    with pytest.raises(Invalid, match="alert_transition"):
        translate({**raw, "alert_type": "info"})


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/sources/datadog", {"Authorization": f"Bearer {KEY}"}),
        ("/sources/datadog", {"DD-ROUTING-KEY": KEY}),
        (f"/sources/datadog/{KEY}", {}),
    ],
    ids=["bearer", "header", "path"],
)
async def test_the_key_comes_in_three_ways(
    client: httpx.AsyncClient, edge: Edge, path: str, headers: dict[str, str]
) -> None:
    answer = await client.post(path, json=CUSTOM, headers=headers)
    assert answer.status_code == 202
    ((envelope, _),) = edge.log.signals()
    assert envelope.id == answer.headers["X-Signal-Id"]
    assert envelope.source == "datadog"


async def test_a_missing_key_is_401_and_a_wrong_one_403(client: httpx.AsyncClient) -> None:
    assert (await client.post("/sources/datadog", json=CUSTOM)).status_code == 401
    wrong = await client.post("/sources/datadog", json=CUSTOM, headers={"DD-ROUTING-KEY": "x"})
    assert wrong.status_code == 403
