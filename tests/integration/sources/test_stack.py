"""From each source to a case and a receipt, through every role."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from schemas import codec
from schemas.signal import AlertSignal
from tests.integration.sources.test_docs import documented
from tests.stack import Stack

pytestmark = pytest.mark.engines

FIXTURES = Path(__file__).parents[2] / "fixtures" / "alertmanager"
SETTLED_SECONDS = 30.0


class Sender:
    """Sends to the stack with the routing key of its first tenant."""

    def __init__(self, stack: Stack, client: httpx.Client) -> None:
        self.client = client
        self.key = stack.tenants[0]["routing_key"]
        self.bearer = {"Authorization": f"Bearer {self.key}"}
        self.genie = {"Authorization": f"GenieKey {self.key}"}

    def pagerduty(self, action: str, dedup_key: str, **payload: Any) -> str:
        body = {
            "routing_key": self.key,
            "event_action": action,
            "dedup_key": dedup_key,
            "payload": {"summary": f"{dedup_key} is on fire", "source": "db-1", "severity": "critical", **payload},
        }
        answer = self.client.post("/v2/enqueue", json=body)
        assert answer.status_code == 202, answer.text
        return answer.headers["X-Signal-Id"]

    def receipt(self, signal_id: str) -> dict[str, Any]:
        """Return the receipt of a signal once it has one."""
        return self._until(f"/v2/receipts/{signal_id}", self.bearer)

    def request(self, request_id: str) -> dict[str, Any]:
        """Return Opsgenie's status of a request once it is processed."""
        data: dict[str, Any] = self._until(f"/v2/alerts/requests/{request_id}", self.genie)["data"]
        return data

    def case(self, case_id: str, status: str) -> dict[str, Any]:
        """Return a case once it is in this status: its view follows the receipts' by a moment."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            answer = self.client.get(f"/api/v2/cases/{case_id}")
            if answer.status_code == 200:
                attributes: dict[str, Any] = answer.json()["data"]["attributes"]
                if attributes["status"] == status:
                    return attributes
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.05)

    def _until(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            answer = self.client.get(path, headers=headers)
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            assert answer.status_code == 404, answer.text
            assert time.monotonic() < deadline, f"{path} is not settled"
            time.sleep(0.05)


@contextmanager
def sending(stack: Stack) -> Iterator[Sender]:
    with stack.client() as client:
        yield Sender(stack, client)


def unique(name: str) -> str:
    return f"{name}/{uuid.uuid4()}"


def test_an_alert_lives_and_ends_as_pagerduty_says(stack: Stack) -> None:
    with sending(stack) as sender:
        key = unique("disk 🔥")
        unknown = sender.receipt(sender.pagerduty("acknowledge", key))
        assert unknown["status"] == "dropped:no_open_alert"
        opened = sender.receipt(sender.pagerduty("trigger", key))
        assert opened["status"] == "folded"
        case = sender.case(opened["case_id"], "OPEN")
        assert (case["title"], case["priority"]) == (f"{key} is on fire", "P1")
        assert sender.receipt(sender.pagerduty("acknowledge", key))["case_id"] == opened["case_id"]
        sender.case(opened["case_id"], "IN_PROGRESS")
        again = sender.receipt(sender.pagerduty("trigger", key))
        assert (again["receipt"], again["case_id"]) == ("deduplicated", opened["case_id"])
        assert sender.receipt(sender.pagerduty("acknowledge", key))["status"] == "deduplicated:already_acknowledged"
        assert sender.receipt(sender.pagerduty("resolve", key))["receipt"] == "folded"
        sender.case(opened["case_id"], "CLOSED")
        assert sender.receipt(sender.pagerduty("resolve", key))["status"] == "dropped:no_open_alert"
        reopened = sender.receipt(sender.pagerduty("trigger", key))
        assert reopened["receipt"] == "folded"
        assert reopened["case_id"] != opened["case_id"]


def test_opsgenie_shows_the_failure_of_an_action_in_its_status(stack: Stack) -> None:
    with sending(stack) as sender:
        alias = unique("cpu")
        path = f"/v2/alerts/{alias.replace('/', '%2F')}"

        def act(verb: str) -> dict[str, Any]:
            answer = sender.client.post(f"{path}/{verb}?identifierType=alias", headers=sender.genie)
            assert answer.status_code == 202
            return sender.request(answer.json()["requestId"])

        assert act("close")["isSuccess"] is False
        created = sender.client.post("/v2/alerts", json={"message": "CPU", "alias": alias}, headers=sender.genie)
        status = sender.request(created.json()["requestId"])
        assert (status["isSuccess"], status["alias"]) == (True, alias)
        assert act("acknowledge")["isSuccess"] is True
        by_id = sender.client.post(f"/v2/alerts/{status['alertId']}/close", headers=sender.genie)
        assert sender.request(by_id.json()["requestId"])["isSuccess"] is True
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            shown = sender.client.get(f"{path}?identifierType=alias", headers=sender.genie).json()["data"]
            if shown["status"] == "closed":
                break
            assert time.monotonic() < deadline
        assert (shown["message"], shown["priority"]) == ("CPU", "P3")


def test_recorded_notifications_of_alertmanager_become_cases(stack: Stack) -> None:
    with sending(stack) as sender:

        def send(name: str) -> dict[str, dict[str, Any]]:
            body = json.loads((FIXTURES / f"{name}.json").read_text())
            answer = sender.client.post("/sources/alertmanager", json=body, headers=sender.bearer)
            assert answer.status_code == 202
            return {s["dedup_key"]: sender.receipt(s["signal_id"]) for s in answer.json()["signals"]}

        ((key, first),) = send("firing").items()
        group = send("group")
        assert len({receipt["case_id"] for receipt in group.values()}) == 3
        assert group[key]["case_id"] == first["case_id"]
        send("mixed")
        sender.case(first["case_id"], "CLOSED")
        late = send("peer_late")[key]
        assert late["status"] == "deduplicated:stale_episode"
        again = send("firing_again")[key]
        assert again["receipt"] == "folded"
        assert again["case_id"] != first["case_id"]


def test_what_a_producer_writes_to_kafka_becomes_a_case(stack: Stack) -> None:
    with sending(stack) as sender:
        kafka = stack.prepared.env["CASESTREAM_KAFKA"]
        opened, resolved = (sender.receipt(i) for i in documented()["send"](kafka, sender.key))
        assert (opened["receipt"], resolved["receipt"]) == ("folded", "folded")
        sender.case(opened["case_id"], "CLOSED")


def test_a_refused_record_of_kafka_has_a_receipt(stack: Stack) -> None:
    with sending(stack) as sender:
        signal_id = str(uuid.uuid4())
        wrong = AlertSignal(routing_key=sender.key, action="trigger", summary="s" * 2_000, signal_id=signal_id)
        producer = Producer({"bootstrap.servers": stack.prepared.env["CASESTREAM_KAFKA"]})
        producer.produce("alert.signals", b"junk")
        producer.produce("alert.signals", codec.encode_row(wrong))
        assert producer.flush(30) == 0
        assert sender.receipt(signal_id)["status"] == "rejected:limit.exceeded:summary"


def test_a_cloudevent_that_comes_twice_is_one_signal(stack: Stack) -> None:
    with sending(stack) as sender:
        event = {
            "specversion": "1.0",
            "type": "com.example.triggered",
            "source": "/hosts/db-1",
            "id": str(uuid.uuid4()),
            "subject": unique("memory"),
            "data": {"summary": "Memory is low"},
        }
        headers = {**sender.bearer, "Content-Type": "application/cloudevents+json"}
        answers = [
            sender.client.post("/sources/cloudevents", content=json.dumps(event), headers=headers) for _ in range(2)
        ]
        one, other = (answer.headers["X-Signal-Id"] for answer in answers)
        assert one == other
        receipt = sender.receipt(one)
        assert sender.case(receipt["case_id"], "OPEN")["title"] == "Memory is low"


def test_a_monitor_of_datadog_opens_and_closes_a_case(stack: Stack) -> None:
    with sending(stack) as sender:
        monitor = str(uuid.uuid4())

        def notify(transition: str) -> dict[str, Any]:
            body = {"alert_id": monitor, "alert_scope": "host:a", "alert_transition": transition, "title": "Load"}
            answer = sender.client.post("/sources/datadog", json=body, headers={"DD-ROUTING-KEY": sender.key})
            return sender.receipt(answer.headers["X-Signal-Id"])

        opened = notify("Triggered")
        assert notify("Re-Triggered")["case_id"] == opened["case_id"]
        assert notify("Recovered")["case_id"] == opened["case_id"]
        sender.case(opened["case_id"], "CLOSED")
