"""The demonstration against a small model of the API: what matters here is which requests it makes, and which not again."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from rich.console import Console

from infra.cli.demo import alerts as demo_alerts
from infra.cli.demo import cases as demo_cases
from infra.cli.demo.client import DemoFailed
from infra.cli.demo.story import run

TENANTS = [
    {
        "tenant_id": f"tenant-{kind}",
        "name": kind.title(),
        "kind": kind,
        "api_key": f"api-{kind}",
        "application_key": f"app-{kind}",
        "routing_key": f"route-{kind}",
        "project_id": f"project-{kind}",
    }
    for kind in ("oncall", "case_management")
]
STACK = {"http": "http://stack.test", "tenants": TENANTS}


class Api:
    """Alerts become cases of their summary; a create is remembered by tenant and Idempotency-Key."""

    def __init__(self) -> None:
        self.cases: dict[str, list[dict[str, Any]]] = {}
        self.answers: dict[tuple[str, str], dict[str, Any]] = {}
        self.signals: list[str] = []
        self.writes: list[tuple[str, str]] = []
        self.pending = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        tenant = request.headers["DD-API-KEY"].removeprefix("api-")
        body = json.loads(request.content or b"{}")
        path = request.url.path
        if request.method == "GET":
            words = request.url.params["filter"].strip('"')
            found = [case for case in self.cases.get(tenant, []) if words in case["attributes"]["title"]]
            return httpx.Response(200, json={"data": found})
        if path == "/v2/enqueue":
            assert body["routing_key"] == f"route-{tenant}"
            self.signals.append(body["event_action"])
            if body["event_action"] == "trigger":
                self._open(tenant, body["payload"]["summary"], once=True)
            return httpx.Response(202, json={})
        if path.startswith("/sources/alertmanager/"):
            assert path.endswith(f"/route-{tenant}")
            for alert in body["alerts"]:
                self.signals.append(alert["status"])
                self._open(tenant, alert["annotations"]["summary"], once=True)
            return httpx.Response(202, json={})
        return self._write(tenant, path, request.headers["Idempotency-Key"], body["data"])

    def _write(self, tenant: str, path: str, key: str, resource: dict[str, Any]) -> httpx.Response:
        if self.pending:
            self.pending -= 1
            return httpx.Response(504, json={"errors": ["command.pending"]})
        self.writes.append((tenant, key))
        if (tenant, key) not in self.answers:
            if path == "/api/v2/cases":
                assert resource["relationships"]["project"]["data"]["id"] == f"project-{tenant}"
                case = self._open(tenant, resource["attributes"]["title"])
            else:
                case = next(c for c in self.cases[tenant] if c["id"] == path.split("/")[4])
                if path.endswith("/status"):
                    case["attributes"]["status"] = resource["attributes"]["status"]
            self.answers[tenant, key] = {"data": case}
        return httpx.Response(200, json=self.answers[tenant, key])

    def _open(self, tenant: str, title: str, *, once: bool = False) -> dict[str, Any]:
        cases = self.cases.setdefault(tenant, [])
        if once:
            for case in cases:
                if case["attributes"]["title"] == title:
                    return case
        number = len(cases) + 1
        attributes = {
            "title": title,
            "key": f"K-{number}",
            "status": "OPEN",
            "priority": "P3",
            "created_at": "2026-01-31T10:00:00.000Z",
        }
        cases.append({"id": f"{tenant}-{number}", "type": "case", "attributes": attributes})
        return cases[-1]


def tell(api: Api) -> str:
    out = io.StringIO()
    run(STACK, Console(file=out, width=140), transport=httpx.MockTransport(api))
    return out.getvalue()


def test_both_tenants_get_alerts_and_cases_and_the_summary_names_them() -> None:
    api = Api()
    said = tell(api)
    assert {tenant: len(cases) for tenant, cases in api.cases.items()} == {
        "oncall": len(demo_alerts.ONCALL) + len(demo_cases.ONCALL),
        "case_management": len(demo_alerts.CASE_MANAGEMENT) + len(demo_cases.CASE_MANAGEMENT),
    }
    assert "Checkout: 7.2% of requests fail" in said
    assert "case-cli cases list --tenant oncall" in said


def test_a_second_run_sends_no_alert_and_makes_no_case() -> None:
    api = Api()
    tell(api)
    signals, cases, answers = list(api.signals), json.dumps(api.cases), set(api.answers)
    said = tell(api)
    assert api.signals == signals
    assert json.dumps(api.cases) == cases
    assert set(api.answers) == answers
    assert "no alert was new" in said


def test_every_write_has_a_key_of_its_own() -> None:
    api = Api()
    tell(api)
    assert len(set(api.writes)) == len(api.writes)


def test_an_outcome_that_is_pending_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.cli.demo.client.PAUSE_SECONDS", 0.01)
    api = Api()
    api.pending = 2
    tell(api)
    assert api.cases["oncall"]


def test_a_refusal_says_what_was_refused() -> None:
    with pytest.raises(DemoFailed, match="answered 403"):
        run(
            STACK,
            Console(file=io.StringIO()),
            transport=httpx.MockTransport(lambda _: httpx.Response(403, json={"errors": ["no"]})),
        )


def test_an_api_that_is_away_says_where_to_look() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(DemoFailed, match="casestream status"):
        run(STACK, Console(file=io.StringIO()), transport=httpx.MockTransport(away))


def test_no_two_alerts_or_cases_of_a_tenant_share_a_title() -> None:
    for alerts, tickets in (
        (demo_alerts.ONCALL, demo_cases.ONCALL),
        (demo_alerts.CASE_MANAGEMENT, demo_cases.CASE_MANAGEMENT),
    ):
        titles = [alert.summary for alert in alerts] + [ticket.title for ticket in tickets]
        assert len(set(titles)) == len(titles)
        assert all(len(title) <= 160 and '"' not in title for title in titles)


def test_alertmanager_gets_its_own_form_and_one_fingerprint_an_alert() -> None:
    alert = next(a for a in demo_alerts.ONCALL if a.tool == "alertmanager")
    firing = demo_alerts.alertmanager_notification(alert, "trigger", now="2026-01-01T00:00:00.000Z")
    ended = demo_alerts.alertmanager_notification(alert, "resolve", now="2026-01-01T00:00:00.000Z")
    assert (firing["version"], firing["status"], ended["status"]) == ("4", "firing", "resolved")
    assert firing["alerts"][0]["fingerprint"] == ended["alerts"][0]["fingerprint"]
    assert firing["alerts"][0]["startsAt"] == ended["alerts"][0]["startsAt"]
