"""Alert rules and routing keys: what they let in, keep out and join."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.stack import Stack

pytestmark = pytest.mark.engines

DEADLINE = 20.0


def rule_body(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "alert_rule", "attributes": attributes}}


def new_project(http: httpx.Client) -> str:
    attributes = {"key": f"A{uuid4().hex[:8].upper()}", "name": "Alerts"}
    made = http.post("/api/v2/cases/projects", json={"data": {"type": "project", "attributes": attributes}})
    project_id: str = made.json()["data"]["id"]
    return project_id


def new_routing_key(http: httpx.Client, project_id: str, **headers: str) -> httpx.Response:
    body = {"data": {"type": "routing_key", "attributes": {"project_id": project_id}}}
    return http.post("/api/v2/routing-keys", json=body, headers=headers)


def trigger(stack: Stack, routing_key: str, dedup_key: str, **labels: str) -> httpx.Response:
    payload = {"summary": f"{dedup_key} is down", "source": "test", "severity": "error", **labels}
    event = {"routing_key": routing_key, "event_action": "trigger", "dedup_key": dedup_key, "payload": payload}
    return httpx.post(f"{stack.http}/v2/enqueue", json=event, trust_env=False)


def receipt(http: httpx.Client, sent: httpx.Response) -> str:
    """What became of a signal, once that is known."""
    deadline = time.monotonic() + DEADLINE
    while True:
        answer = http.get(f"/api/v2/signals/{sent.headers['X-Signal-Id']}")
        if answer.status_code == 200:
            state: str = answer.json()["data"]["attributes"]["state"]
            return state
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)


def cases_of(http: httpx.Client, project_id: str, *, count: int) -> list[dict[str, Any]]:
    """The cases of a project, once there are `count` of them."""
    deadline = time.monotonic() + DEADLINE
    while True:
        listed = http.get("/api/v2/cases", params={"page[size]": 100})
        assert listed.status_code == 200, listed.text
        found = [c for c in listed.json()["data"] if c["relationships"]["project"]["data"]["id"] == project_id]
        if len(found) >= count or time.monotonic() > deadline:
            assert len(found) == count, [c["attributes"]["title"] for c in found]
            return found
        time.sleep(0.1)


def test_a_routing_key_lets_alerts_in_until_it_is_revoked(stack: Stack, http: httpx.Client) -> None:
    project_id = new_project(http)
    made = new_routing_key(http, project_id)
    attributes = made.json()["data"]["attributes"]

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert attributes["project_id"] == project_id
    assert trigger(stack, attributes["routing_key"], "db-1").status_code == 202
    (case,) = cases_of(http, project_id, count=1)
    assert case["attributes"]["title"] == "db-1 is down"

    assert http.delete(f"/api/v2/routing-keys/{made.json()['data']['id']}").status_code == 204
    deadline = time.monotonic() + DEADLINE
    while trigger(stack, attributes["routing_key"], "db-2").status_code == 202:
        assert time.monotonic() < deadline, "a revoked routing key still lets alerts in"
        time.sleep(0.1)


def test_a_routing_key_is_shown_to_him_who_asked_for_it_and_never_again(http: httpx.Client) -> None:
    project_id = new_project(http)
    key = {"Idempotency-Key": str(uuid4())}
    first, second = (new_routing_key(http, project_id, **key) for _ in range(2))
    other = new_routing_key(http, project_id)

    assert first.json() == second.json()
    assert other.json()["data"]["attributes"]["routing_key"] != first.json()["data"]["attributes"]["routing_key"]
    listed = http.get("/api/v2/routing-keys")
    assert first.json()["data"]["id"] in {key["id"] for key in listed.json()["data"]}
    assert first.json()["data"]["attributes"]["routing_key"] not in listed.text


def test_a_routing_key_of_no_project_is_404_and_one_that_is_not_there_too(http: httpx.Client) -> None:
    answer = new_routing_key(http, str(uuid4()))

    assert answer.status_code == 404
    assert answer.json()["details"][0]["field"] == "data.attributes.project_id"
    assert http.delete(f"/api/v2/routing-keys/{uuid4()}").status_code == 404
    assert http.delete("/api/v2/routing-keys/nothing").status_code == 404


def test_a_grouping_rule_joins_alerts_to_one_case(stack: Stack, http: httpx.Client) -> None:
    project_id = new_project(http)
    routing_key = new_routing_key(http, project_id).json()["data"]["attributes"]["routing_key"]
    made = http.post(
        "/api/v2/alert-rules",
        json=rule_body(
            project_id=project_id,
            kind="group",
            name="by component",
            group_by=["component"],
            window_seconds=600,
            conditions=[{"field": "component", "operator": "exists"}],
        ),
    )
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1"'
    for host in ("web-1", "web-2"):
        assert trigger(stack, routing_key, host, component="web").status_code == 202
    assert trigger(stack, routing_key, "db-1", component="db").status_code == 202

    cases = cases_of(http, project_id, count=2)
    deadline = time.monotonic() + DEADLINE
    while sorted(len(c["attributes"]["alerts"]) for c in cases) != [1, 2]:
        assert time.monotonic() < deadline, "the second alert joined no case"
        time.sleep(0.1)
        cases = cases_of(http, project_id, count=2)


def test_a_suppressing_rule_keeps_alerts_out(stack: Stack, http: httpx.Client) -> None:
    project_id = new_project(http)
    routing_key = new_routing_key(http, project_id).json()["data"]["attributes"]["routing_key"]
    condition = {"field": "component", "operator": "starts_with", "value": "test-"}
    made = http.post(
        "/api/v2/alert-rules",
        json=rule_body(project_id=project_id, kind="suppress", name="tests", conditions=[condition]),
    )
    quiet = trigger(stack, routing_key, "quiet", component="test-1")
    loud = trigger(stack, routing_key, "loud", component="web-1")

    assert made.status_code == 201
    assert receipt(http, quiet) == "suppressed"
    assert receipt(http, loud) == "folded"
    assert [c["attributes"]["title"] for c in cases_of(http, project_id, count=1)] == ["loud is down"]


def test_a_rule_is_replaced_and_deleted(http: httpx.Client) -> None:
    project_id = new_project(http)
    made = http.post(
        "/api/v2/alert-rules",
        json=rule_body(
            project_id=project_id,
            kind="suppress",
            name="quiet",
            conditions=[{"field": "env", "operator": "equals", "value": "test"}],
        ),
    )
    path = f"/api/v2/alert-rules/{made.json()['data']['id']}"
    changed = http.put(path, json=rule_body(name="quieter", enabled=False, kind="suppress", project_id=project_id))
    stale = http.put(path, json=rule_body(name="quietest"), headers={"If-Match": made.headers["ETag"]})
    fixed = http.put(path, json=rule_body(name="quieter", kind="group", group_by=["env"]))

    assert changed.status_code == 200
    attributes = changed.json()["data"]["attributes"]
    assert (attributes["name"], attributes["enabled"], attributes["conditions"]) == ("quieter", False, [])
    assert http.get(path).json()["data"] == changed.json()["data"]
    assert stale.status_code == 409
    assert (fixed.status_code, fixed.json()["details"][0]["code"]) == (422, "rule.kind_fixed")
    assert http.delete(path).status_code == 204
    assert http.delete(path).status_code == 404
    assert http.get(path).status_code == 404


@pytest.mark.parametrize(
    ("attributes", "status", "field"),
    [
        ({"kind": "group"}, 422, "data.attributes.group_by"),
        ({"kind": "suppress", "window_seconds": 0}, 400, "data.attributes.window_seconds"),
        ({"kind": "suppress", "window_seconds": 30 * 24 * 3600 + 1}, 422, "data.attributes.window_seconds"),
        (
            {"kind": "suppress", "conditions": [{"field": "a", "operator": "exists"}] * 21},
            422,
            "data.attributes.conditions",
        ),
        (
            {"kind": "suppress", "conditions": [{"field": "a", "operator": "equals", "value": "x" * 8_001}]},
            422,
            "data.attributes.conditions",
        ),
        (
            {"kind": "suppress", "conditions": [{"field": "", "operator": "exists"}]},
            400,
            "data.attributes.conditions.0.field",
        ),
        ({"kind": "suppress", "name": "x" * 101}, 422, "data.attributes.name"),
        ({"kind": "suppress", "name": " "}, 400, "data.attributes.name"),
    ],
)
def test_a_rule_that_may_not_be_is_refused(
    http: httpx.Client, project_id: str, attributes: dict[str, Any], status: int, field: str
) -> None:
    answer = http.post("/api/v2/alert-rules", json=rule_body(**{"name": "x", "project_id": project_id, **attributes}))

    assert (answer.status_code, answer.json()["details"][0]["field"]) == (status, field)
