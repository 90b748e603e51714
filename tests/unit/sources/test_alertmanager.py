"""Alertmanager's notifications, as a real one sent them, and what must not be lost whatever they hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from sources.alertmanager import fingerprint, translate
from sources.signal import Invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.ids import routing_hash
from streams.topics import ALERT_EVENTS
from tests.fakes.edge import KEY, TENANT, Edge, route
from topologies.testing import TopologyTestDriver

FIXTURES = Path(__file__).parents[2] / "fixtures" / "alertmanager"
BEARER = {"Authorization": f"Bearer {KEY}"}


def recorded(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return loaded


def notification(**alert: Any) -> dict[str, Any]:
    body = recorded("firing")
    return {**body, "alerts": [{**body["alerts"][0], **alert}]}


def test_a_recorded_alert_is_translated_whole() -> None:
    body = recorded("firing")
    (signal,) = translate(body)
    (alert,) = body["alerts"]
    assert (signal.action, signal.dedup_key) == (Action.TRIGGER, alert["fingerprint"])
    assert signal.summary == "HighErrorRate on web-1:9090"
    assert signal.description == "More than 5 % of requests fail."
    assert signal.priority is Priority.P1
    assert signal.labels == alert["labels"]
    assert orjson.loads(signal.details) == {
        "generator_url": "http://prometheus.example.com/graph?g0.expr=errors",
        "external_url": "http://alertmanager.example.com",
        "receiver": "casestream",
        "group_key": body["groupKey"],
        "group_labels": {"service": "checkout"},
        "annotations": alert["annotations"],
    }


def test_an_episode_begins_when_the_alert_did() -> None:
    (signal,) = translate(notification(startsAt="2026-11-24T22:20:59.415352999Z"))
    assert signal.starts_at == 1_795_558_859_415_352
    (same,) = translate(notification(startsAt="2026-11-24T23:20:59.415352+01:00"))
    assert same.starts_at == signal.starts_at


def test_each_alert_of_a_group_is_a_signal() -> None:
    signals = translate(recorded("mixed"))
    assert sorted(s.action for s in signals) == [Action.RESOLVE, Action.TRIGGER, Action.TRIGGER]
    assert len({s.dedup_key for s in signals}) == 3
    assert all(s.action is Action.RESOLVE for s in translate(recorded("resolved")))


@pytest.mark.parametrize(
    ("labels", "priority"),
    [
        ({"severity": "critical"}, Priority.P1),
        ({"severity": "Page"}, Priority.P1),
        ({"severity": "error"}, Priority.P2),
        ({"severity": "WARNING"}, Priority.P3),
        ({"severity": "info"}, Priority.P4),
        ({"severity": "none"}, Priority.P5),
        ({"severity": "critical", "priority": "p4"}, Priority.P4),
        ({"severity": "critical", "priority": "urgent"}, Priority.P1),
        ({"severity": "purple"}, Priority.NOT_DEFINED),
        ({}, Priority.NOT_DEFINED),
    ],
)
def test_labels_give_the_priority(labels: dict[str, str], priority: Priority) -> None:
    assert translate(notification(labels=labels))[0].priority is priority


@pytest.mark.parametrize(
    ("annotations", "labels", "summary"),
    [
        ({"summary": "S", "title": "T"}, {"alertname": "A"}, "S"),
        ({"summary": " ", "title": "T"}, {"alertname": "A"}, "T"),
        ({"message": "M"}, {"alertname": "A"}, "M"),
        ({}, {"alertname": "A"}, "A"),
        ({}, {}, "Alert without a name"),
    ],
)
def test_the_summary_is_the_first_text_there_is(
    annotations: dict[str, str], labels: dict[str, str], summary: str
) -> None:
    assert translate(notification(annotations=annotations, labels=labels))[0].summary == summary


def test_nothing_is_refused_for_its_size() -> None:
    labels = {f"label_{n}": "v" * 5_000 for n in range(500)}
    annotations = {"summary": "s" * 9_000, "description": "d" * 100_000, **{f"a{n}": "x" * 9_000 for n in range(300)}}
    (signal,) = translate(notification(labels=labels, annotations=annotations))
    assert len(signal.summary) == 1024
    assert len(signal.description) == 30_000
    assert 0 < len(signal.labels) <= 200
    assert sum(len(name) + len(value) for name, value in signal.labels.items()) <= 64_000
    assert len(signal.details) <= 512 * 1024
    assert orjson.loads(signal.details)["truncated"] is True


def test_a_sender_without_fingerprints_gets_them_of_the_labels() -> None:
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint({"a": "1", "b": "3"})
    (signal,) = translate(notification(fingerprint=None, labels=one))
    assert signal.dedup_key == fingerprint(one)


def test_gos_zero_time_says_nothing() -> None:
    assert translate(notification(startsAt="0001-01-01T00:00:00Z"))[0].starts_at is None


WRONG: list[tuple[str, Any, str]] = [
    ("a list", [], "body"),
    ("no alerts", {"version": "4"}, "alerts"),
    ("another version", {**recorded("firing"), "version": "7"}, "version"),
    ("another status", notification(status="suppressed"), "alerts.0.status"),
    ("labels that are numbers", notification(labels={"a": 1}), "alerts.0.labels.a"),
    ("no start", notification(startsAt=None), "alerts.0.startsAt"),
    ("a start that is no time", notification(startsAt="soon"), "alerts.0.startsAt"),
    ("a start out of all time", notification(startsAt="9999-12-31T23:59:59Z"), "alerts.0.startsAt"),
]


@pytest.mark.parametrize(("body", "field"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_what_is_no_notification_is_refused_naming_the_field(
    client: httpx.AsyncClient, edge: Edge, body: Any, field: str
) -> None:
    answer = await client.post("/sources/alertmanager", json=body, headers=BEARER)
    assert answer.status_code == 400
    assert field in {detail.get("field") for detail in answer.json()["details"]}
    assert edge.log.records == []


def test_one_wrong_alert_lets_none_of_its_group_in() -> None:
    body = recorded("group")
    body["alerts"][2]["startsAt"] = "soon"
    with pytest.raises(Invalid, match=r"alerts\.2\.startsAt"):
        translate(body)


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/sources/alertmanager", BEARER), (f"/sources/alertmanager/{KEY}", {})],
    ids=["bearer", "path"],
)
async def test_a_group_is_taken_whole(
    client: httpx.AsyncClient, edge: Edge, path: str, headers: dict[str, str]
) -> None:
    answer = await client.post(path, json=recorded("group"), headers=headers)
    assert answer.status_code == 202
    signals = answer.json()["signals"]
    assert [s["signal_id"] for s in signals] == answer.headers["X-Signal-Id"].split(", ")
    keys = {key for _, key, _ in edge.log.records}
    assert keys == {f"{TENANT}/{routing_hash(KEY)}/{s['dedup_key']}" for s in signals}
    assert {envelope.id for envelope, _ in edge.log.signals()} == {s["signal_id"] for s in signals}


async def test_a_group_of_many_names_its_signals_in_the_body_alone(client: httpx.AsyncClient) -> None:
    (alert,) = recorded("firing")["alerts"]
    body = {**recorded("firing"), "alerts": [{**alert, "fingerprint": f"f{n}"} for n in range(200)]}
    answer = await client.post("/sources/alertmanager", json=body, headers=BEARER)
    assert len(answer.json()["signals"]) == 200
    assert "X-Signal-Id" not in answer.headers


async def test_signals_of_one_alert_are_appended_in_order(client: httpx.AsyncClient, edge: Edge) -> None:
    (alert,) = recorded("firing")["alerts"]
    alerts = [{**alert, "status": "resolved" if n % 2 else "firing"} for n in range(6)]
    await client.post("/sources/alertmanager", json={**recorded("firing"), "alerts": alerts}, headers=BEARER)
    assert [s.action for _, s in edge.log.signals()] == [Action.TRIGGER, Action.RESOLVE] * 3


async def test_alertmanager_is_told_to_repeat_unless_all_were_taken(client: httpx.AsyncClient, edge: Edge) -> None:
    edge.log.away = 1
    answer = await client.post("/sources/alertmanager", json=recorded("group"), headers=BEARER)
    assert answer.status_code == 503
    assert "signals" not in answer.json()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Basic eDp5"}, 401), ({"Authorization": "Bearer wrong"}, 403)],
)
async def test_a_missing_key_is_401_and_a_wrong_one_403(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await client.post("/sources/alertmanager", json=recorded("firing"), headers=headers)).status_code == status


async def test_an_empty_group_is_taken(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/sources/alertmanager", json={"version": "4", "alerts": []}, headers=BEARER)
    assert (answer.status_code, answer.json()["signals"]) == (202, [])


async def fed(client: httpx.AsyncClient, edge: Edge, driver: TopologyTestDriver, *names: str) -> list[str]:
    """Send recorded notifications through stage `alerts`; return the names of what it says of alerts."""
    for name in names:
        await client.post("/sources/alertmanager", json=recorded(name), headers=BEARER)
        for topic, key, value in edge.log.records:
            driver.pipe_bytes(topic, key.encode(), value)
        edge.log.records.clear()
    return [record.name.removeprefix("alerts/") for record in driver.drain(ALERT_EVENTS)]


async def test_a_peers_late_repetition_opens_nothing(client: httpx.AsyncClient, edge: Edge) -> None:
    driver = TopologyTestDriver(partitions=1)
    said = await fed(client, edge, driver, "firing", "mixed", "peer_late")
    key = f"{TENANT}/{route().routing}/{recorded('peer_late')['alerts'][0]['fingerprint']}"
    assert driver.state("alerts", key).status == "RESOLVED"
    settled = [d.body for d in driver.decoded(ALERT_EVENTS) if d.name == "alerts/signal_settled"]
    assert [(s.receipt, s.reason) for s in settled if s.reason == "stale_episode"] == [
        ("deduplicated", "stale_episode")
    ]
    assert said.count("episode_resolved") == 1


async def test_a_new_episode_opens_after_a_resolved_one(client: httpx.AsyncClient, edge: Edge) -> None:
    driver = TopologyTestDriver(partitions=1)
    await fed(client, edge, driver, "firing", "mixed", "firing_again")
    key = f"{TENANT}/{route().routing}/{recorded('firing_again')['alerts'][0]['fingerprint']}"
    assert (driver.state("alerts", key).episode, driver.state("alerts", key).status) == (2, "TRIGGERED")


async def test_a_firing_that_is_later_than_its_own_end_opens_nothing(client: httpx.AsyncClient, edge: Edge) -> None:
    """An episode whose firing was lost ends by its resolve; the peer's firing of it comes after that."""
    driver = TopologyTestDriver(partitions=1)
    await fed(client, edge, driver, "firing")
    again = recorded("firing_again")
    key = f"{TENANT}/{route().routing}/{again['alerts'][0]['fingerprint']}"
    for status in ("resolved", "firing"):
        body = {**again, "alerts": [{**again["alerts"][0], "status": status}]}
        await client.post("/sources/alertmanager", json=body, headers=BEARER)
    for topic, record_key, value in edge.log.records:
        driver.pipe_bytes(topic, record_key.encode(), value)
    assert (driver.state("alerts", key).episode, driver.state("alerts", key).status) == (1, "RESOLVED")
