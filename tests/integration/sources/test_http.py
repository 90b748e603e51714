"""The receivers over real Kafka and Postgres: keys, appended commands, and what can be asked afterwards."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette

import sources.http
from infra.runtime.auth import Gate
from infra.runtime.http import EXCEPTION_HANDLERS
from infra.runtime.kafka import KafkaCommandLog, Position
from infra.runtime.postgres import Database
from infra.runtime.services import Services
from sources import opsgenie
from streams.ids import alert_id, routing_hash
from streams.topics import ALERT_COMMANDS
from tests.fakes.edge import KEY, OTHER_KEY, TENANT
from tests.integration.sources.conftest import Door, Logs, Views, bind

pytestmark = pytest.mark.engines

BEARER = {"Authorization": f"Bearer {KEY}"}
GENIE = {"Authorization": f"GenieKey {KEY}"}
EVENT: dict[str, Any] = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "db/1 🔥",
    "payload": {"summary": "s", "source": "db-1", "severity": "critical"},
}


class OwnTopic(KafkaCommandLog):
    """Appends to a topic of this test's own."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(bootstrap)
        self._topic = topic

    async def append(self, topic: str, key: str, value: bytes) -> Position:
        assert topic == ALERT_COMMANDS
        return await super().append(self._topic, key, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    client: httpx.AsyncClient
    views: Views
    logs: Logs

    def settle(self, receipt: str, reason: str = "", *, key: str = KEY, dedup_key: str = "a", case: Any = None) -> str:
        """Write the receipt of a signal as the Postgres sink does; return the signal's id."""
        signal_id = str(uuid.uuid4())
        self.views.write(
            "INSERT INTO signal_receipt VALUES (%s, %s, %s, %s, %s, %s, now())",
            TENANT,
            signal_id,
            alert_id(routing_hash(key), dedup_key),
            receipt,
            reason,
            case,
        )
        return signal_id

    def show(self, dedup_key: str, status: str, number: int) -> str:
        """Write an alert with its case as the Postgres sink does; return the case's id."""
        case_id, alert = str(uuid.uuid4()), alert_id(routing_hash(KEY), dedup_key)
        self.views.write(
            "INSERT INTO alert (tenant_id, alert_id, version, project_key, status, episode, triggers, opened_at, changed_at) "
            "VALUES (%s, %s, 3, 'OPS', %s, 1, 2, now(), now())",
            TENANT,
            alert,
            status,
        )
        self.views.write(
            'INSERT INTO "case" (tenant_id, case_id, version, project_id, project_key, number, key, type_id, title, '
            "description, status, status_name, priority, attributes, created_at, created_by, alerts, comments, state_hash) "
            "VALUES (%s, %s, 1, %s, 'OPS', %s, %s, %s, 'Title', 'Text', 'OPEN', 'Open', 'P1', '{}', now(), 'x', %s, 0, '')",
            TENANT,
            case_id,
            str(uuid.uuid4()),
            number,
            f"OPS-{number}",
            str(uuid.uuid4()),
            json.dumps([{"alert_id": alert, "status": status, "seq": 1, "triggers": 2}, {"alert_id": "other/x"}]),
        )
        self.settle("folded", dedup_key=dedup_key, case=case_id)
        return case_id


@pytest.fixture
async def api(logs: Logs, views: Views, door: Door) -> AsyncIterator[Api]:
    door.open()
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(Database.open(door.dsn, size=2))
        log = await stack.enter_async_context(OwnTopic(logs.bootstrap, logs.topics.commands))
        services = cast("Services", SimpleNamespace(gate=Gate(db), log=log, db=db))
        app = Starlette(routes=sources.http.routes(services), exception_handlers=EXCEPTION_HANDLERS)
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
        )
        yield Api(client=client, views=views, logs=logs)


async def test_an_event_is_in_the_log_when_it_is_answered(api: Api) -> None:
    answer = await api.client.post("/v2/enqueue", json=EVENT)
    assert answer.status_code == 202
    (decoded,) = api.logs.commands()
    assert decoded.envelope.id == answer.headers["X-Signal-Id"]
    assert decoded.envelope.tenant_id == TENANT
    assert decoded.body.dedup_key == "db/1 🔥"


async def test_a_group_of_alerts_is_in_the_log_when_it_is_answered(api: Api) -> None:
    alert = {"status": "firing", "labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z"}
    body = {"version": "4", "alerts": [{**alert, "fingerprint": f"f{n}"} for n in range(100)]}
    answer = await api.client.post("/sources/alertmanager", json=body, headers=BEARER)
    assert answer.status_code == 202
    assert {d.envelope.id for d in api.logs.commands()} == {s["signal_id"] for s in answer.json()["signals"]}


async def test_no_key_is_waved_through_while_postgres_is_away(api: Api, door: Door) -> None:
    door.shut()
    answer = await api.client.post("/v2/enqueue", json={**EVENT, "routing_key": uuid.uuid4().hex})
    assert answer.status_code == 503
    assert answer.json()["status"] == "error"
    door.open()
    assert (await api.client.post("/v2/enqueue", json=EVENT)).status_code == 202
    assert len(api.logs.commands()) == 1


async def test_a_receipt_can_be_asked_for_with_the_routing_key(api: Api) -> None:
    signal_id = api.settle("dropped", "no_open_alert", dedup_key="a/b")
    answer = await api.client.get(f"/v2/receipts/{signal_id}", headers=BEARER)
    assert answer.status_code == 200
    receipt = answer.json()
    assert receipt.pop("settled_at").endswith("Z")
    assert receipt == {
        "signal_id": signal_id,
        "dedup_key": "a/b",
        "receipt": "dropped",
        "reason": "no_open_alert",
        "status": "dropped:no_open_alert",
        "case_id": None,
    }


async def test_a_receipt_is_for_the_key_that_its_signal_came_with(api: Api) -> None:
    signal_id = api.settle("folded")
    second = uuid.uuid4().hex
    bind(api.views, TENANT, second)
    path = f"/v2/receipts/{signal_id}"
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": f"Bearer {OTHER_KEY}"}, 404),
        ({"Authorization": f"Bearer {second}"}, 404),
        (BEARER, 200),
    ):
        assert (await api.client.get(path, headers=headers)).status_code == status
    assert (await api.client.get(f"/v2/receipts/{uuid.uuid4()}", headers=BEARER)).status_code == 404
    assert (await api.client.get("/v2/receipts/x", headers=BEARER)).status_code == 400


@pytest.mark.parametrize(
    ("receipt", "reason", "success", "text"),
    [
        ("folded", "", True, "Request processed"),
        ("dropped", "no_open_alert", False, "Alert does not exist"),
        ("deduplicated", "already_acknowledged", True, "Alert is already acknowledged"),
        ("suppressed", "rule:7", True, "Alert is suppressed by rule:7"),
        ("rejected", "project_deleted", False, "Request could not be processed: project_deleted"),
        ("dead_lettered", "fold_failed", False, "Request could not be processed: fold_failed"),
    ],
)
async def test_opsgenie_tells_what_became_of_a_request(
    api: Api, receipt: str, reason: str, *, success: bool, text: str
) -> None:
    request_id = api.settle(receipt, reason, dedup_key="disk/full")
    answer = await api.client.get(f"/v2/alerts/requests/{request_id}", headers=GENIE)
    assert answer.status_code == 200
    document = answer.json()
    assert document["requestId"] == request_id
    shown = document["data"]
    assert (shown["isSuccess"], shown["success"], shown["status"]) == (success, success, text)
    assert shown["alias"] == "disk/full"
    known = receipt in {"folded", "deduplicated"}
    assert shown["alertId"] == (opsgenie.alert_id("disk/full") if known else "")
    assert shown["processedAt"].endswith("Z")


async def test_opsgenie_does_not_know_a_request_that_is_not_processed_yet(api: Api) -> None:
    answer = await api.client.post("/v2/alerts", json={"message": "m"}, headers=GENIE)
    request_id = answer.json()["requestId"]
    for unknown in (request_id, "x"):
        pending = await api.client.get(f"/v2/alerts/requests/{unknown}", headers=GENIE)
        assert pending.status_code == 404
        assert pending.json()["message"] == "Request not found. It might not be processed, yet."


async def test_opsgenie_shows_an_alert(api: Api) -> None:
    api.show("disk full", "ACKNOWLEDGED", 7)
    for path in (
        "disk%20full?identifierType=alias",
        opsgenie.alert_id("disk full"),
        "7?identifierType=tiny",
    ):
        answer = await api.client.get(f"/v2/alerts/{path}", headers=GENIE)
        assert answer.status_code == 200, path
        shown = answer.json()["data"]
        assert (shown["alias"], shown["message"], shown["tinyId"]) == ("disk full", "Title", "7")
        assert (shown["status"], shown["acknowledged"], shown["count"]) == ("open", True, 2)
        assert shown["priority"] == "P1"
    for path in ("nothing?identifierType=alias", "nothing", "99?identifierType=tiny", "%00?identifierType=alias"):
        answer = await api.client.get(f"/v2/alerts/{path}", headers=GENIE)
        assert answer.status_code == 404, path
        assert "does not exist" in answer.json()["message"]


async def test_opsgenie_closes_an_alert_by_the_number_of_its_case(api: Api) -> None:
    api.show("by number", "TRIGGERED", 8)
    answer = await api.client.post("/v2/alerts/8/close?identifierType=tiny", headers=GENIE)
    assert answer.status_code == 202
    answer = await api.client.post("/v2/alerts/9999/close?identifierType=tiny", headers=GENIE)
    assert answer.status_code == 202, "that it names nothing shows in the status of the request"
    keys = {d.body.dedup_key for d in api.logs.commands()}
    assert keys == {"by number", "unknown:tiny:9999"}
