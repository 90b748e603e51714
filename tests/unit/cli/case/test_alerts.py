"""`case-cli alerts` and `signals`: what is sent to the Events API, and what became of it."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.rest.alert import alert_data, receipt_data
from tests.unit.cli.case.documents import ALERT_ID, CASE_ID, case, refusal
from tests.unit.cli.case.fake_api import NOW, URL, Api, Run

ENQUEUE = "/v2/enqueue"
SIGNAL_ID = "51651651-0000-4000-8000-000000000001"
SIGNAL = f"/api/v2/signals/{SIGNAL_ID}"
MISSING = refusal(404, "signal.not_found", "nothing is known of the signal", "signal_id")


def receipt(state: str = "folded", reason: str = "", case_id: str | None = CASE_ID) -> dict[str, Any]:
    row = {
        "signal_id": SIGNAL_ID,
        "alert_id": ALERT_ID,
        "receipt": state,
        "reason": reason,
        "case_id": case_id,
        "settled_at": NOW,
    }
    return {"data": receipt_data(row)}


def takes(api: Api) -> None:
    """Take signals as the PagerDuty receiver does."""
    document = {"status": "success", "message": "Event processed", "dedup_key": "db1-disk"}
    api.answers("POST", ENQUEUE, httpx.Response(202, json=document, headers={"X-Signal-Id": SIGNAL_ID}))


def test_send_triggers_an_alert_of_the_tenants_own_routing_key(api: Api, run: Run) -> None:
    takes(api)

    shown = run("alerts", "send", "Disk is 95% full on db1")

    assert (shown.out, shown.err) == ("Sent trigger for db1-disk\n", f"signal {SIGNAL_ID}\n")
    assert api.body() == {
        "routing_key": "routing-oncall",
        "event_action": "trigger",
        "payload": {"summary": "Disk is 95% full on db1", "source": socket.gethostname(), "severity": "critical"},
    }


def test_send_says_all_that_the_options_say(api: Api, run: Run) -> None:
    takes(api)

    run(
        *(
            "alerts",
            "send",
            "Checkout is slow",
            "-k",
            "checkout",
            "--severity",
            "Error",
            "--source",
            "web",
            "--component",
            "pay",
        ),
        *(
            "--group",
            "shop",
            "--class",
            "latency",
            "--detail",
            "region=eu",
            "--detail",
            "url=a=b",
            "--routing-key",
            "own",
        ),
    )

    assert api.body() == {
        "routing_key": "own",
        "event_action": "trigger",
        "dedup_key": "checkout",
        "payload": {
            "summary": "Checkout is slow",
            "source": "web",
            "severity": "error",
            "component": "pay",
            "group": "shop",
            "class": "latency",
            "custom_details": {"region": "eu", "url": "a=b"},
        },
    }


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_acknowledge_and_resolve_name_the_alert_alone(api: Api, run: Run, action: str) -> None:
    takes(api)

    assert run("alerts", "send", "--action", action, "-k", "db1-disk").out == f"Sent {action} for db1-disk\n"
    assert api.body() == {"routing_key": "routing-oncall", "event_action": action, "dedup_key": "db1-disk"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "A trigger says what is wrong."),
        (("--action", "resolve"), "Which alert to resolve?"),
        (("x", "--detail", "region"), "'region' is not a detail."),
    ],
)
def test_what_says_too_little_is_not_sent(api: Api, run: Run, arguments: tuple[str, ...], said: str) -> None:
    shown = run("alerts", "send", *arguments)

    assert shown.exit_code == 2
    assert said in shown.err
    assert api.asked == []


def test_wait_shows_the_receipt_and_the_case_it_came_to(api: Api, run: Run, pauses: list[float]) -> None:
    takes(api)
    api.answers("GET", SIGNAL, MISSING, MISSING, receipt())
    api.answers("GET", f"/api/v2/cases/{CASE_ID}", {"data": case(title="Disk is 95% full on db1", priority="P1")})

    shown = run("alerts", "send", "Disk is 95% full on db1", "--wait")

    assert shown.exit_code == 0
    assert shown.out == (
        "Sent trigger for db1-disk\n"
        "folded  it changed a case\n"
        f"Signal      {SIGNAL_ID}\n"
        "Alert       db1-disk\n"
        "Settled     2026-03-01 14:05 CET (just now)\n"
        "Case OPS-12  Open  P1  Disk is 95% full on db1\n"
    )
    assert pauses == pytest.approx([0.1, 0.15])


def test_wait_as_json_is_the_answer_with_its_receipt(api: Api, run: Run) -> None:
    takes(api)
    api.answers("GET", SIGNAL, receipt())

    assert run("alerts", "send", "x", "--wait", "--json").json == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "db1-disk",
        "signal_id": SIGNAL_ID,
        "receipt": receipt()["data"],
    }


def test_wait_ends_with_the_signal_where_no_receipt_comes(api: Api, run: Run, pauses: list[float]) -> None:
    takes(api)
    api.answers("GET", SIGNAL, MISSING)

    shown = run("alerts", "send", "x", "--wait", "--timeout", "3")

    assert shown.exit_code == 6
    assert "The signal was taken, but it has no receipt after 3 s." in shown.err
    assert f"case-cli signals get {SIGNAL_ID}" in shown.err
    assert 3 < sum(pauses) < 5


def test_an_event_that_is_refused_is_said_in_the_apis_words(api: Api, run: Run) -> None:
    refused = {"status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"]}
    api.answers("POST", ENQUEUE, httpx.Response(400, json=refused))

    shown = run("alerts", "send", "x", "--routing-key", "wrong")

    assert (shown.exit_code, shown.err) == (1, "Error: Invalid routing key.\n")


def test_a_routing_key_alone_sends_but_does_not_wait(api: Api, run: Run) -> None:
    takes(api)
    alone = ("alerts", "send", "x", "--url", "https://elsewhere.example", "--routing-key", "own")

    sent = run(*alone)
    refused = run(*alone, "--wait")

    assert sent.exit_code == 0
    assert not {"dd-api-key", "dd-application-key"} & set(api.last.headers)
    assert refused.exit_code == 4
    assert "--wait reads the receipt" in refused.err
    assert len(api.asked) == 1


def test_without_any_routing_key_it_says_which_is_missing(run: Run) -> None:
    shown = run("alerts", "send", "x", "--url", URL, "--api-key", "a", "--application-key", "b")

    assert shown.exit_code == 4
    assert "--routing-key (CASESTREAM_ROUTING_KEY)" in shown.err


def test_list_shows_open_alerts_with_their_own_keys(api: Api, run: Run) -> None:
    row = {
        "alert_id": ALERT_ID,
        "project_key": "OPS",
        "status": "TRIGGERED",
        "episode": 2,
        "triggers": 4,
        "opened_at": NOW - timedelta(hours=1),
        "changed_at": NOW - timedelta(minutes=2),
        "version": 9,
    }
    document = {"data": [alert_data(row)]}
    api.answers("GET", "/api/v2/alerts", document)

    shown = run("alerts", "list", "-p", "OPS", "-n", "1")

    assert shown.out.splitlines() == [
        "PROJECT  STATUS     DEDUP KEY  TIMES  OPENED   CHANGED",
        "OPS      TRIGGERED  db1-disk   4      1 h ago  2 min ago",
    ]
    assert shown.err == "1 alert in Acme On-Call; more: --page 2\n"
    assert dict(api.last.url.params) == {
        "filter[project]": "OPS",
        "filter[open]": "true",
        "page[size]": "1",
        "page[number]": "0",
    }
    assert run("alerts", "list", "--all", "--json").json == document
    assert "filter[open]" not in api.last.url.params


def test_an_empty_list_says_so(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/alerts", {"data": []})

    assert run("alerts", "list").err == "No open alerts in Acme On-Call.\n"


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("suppressed", "rule:r1", "suppressed  a rule suppresses it (rule:r1)"),
        ("dropped", "no_open_alert", "dropped  it is about nothing that is open (no_open_alert)"),
        ("deduplicated", "", "deduplicated  it says what was known already"),
        ("dead_lettered", "", "dead_lettered  it could not be handled and lies in the dead letters"),
    ],
)
def test_a_receipt_says_what_it_means(api: Api, run: Run, state: str, reason: str, said: str) -> None:
    api.answers("GET", SIGNAL, receipt(state, reason, None))

    shown = run("signals", "get", SIGNAL_ID)

    assert shown.out.splitlines()[0] == said
    assert api.lines() == [f"GET {SIGNAL}"]


def test_a_receipt_as_json_is_what_the_api_answered(api: Api, run: Run) -> None:
    api.answers("GET", SIGNAL, receipt())

    assert run("signals", "get", SIGNAL_ID, "--json").json == receipt()


def test_a_signal_without_a_receipt_is_not_found(api: Api, run: Run) -> None:
    api.answers("GET", SIGNAL, MISSING)

    shown = run("signals", "get", SIGNAL_ID)

    assert shown.exit_code == 3
    assert shown.err == (
        f"Error: There is no receipt of a signal {SIGNAL_ID}.\n"
        "Was it sent just now? --wait 10 waits for it. Looked in Acme On-Call. "
        "To look in another tenant: --tenant case_management.\n"
    )


def test_signals_get_waits_where_it_is_told_to(api: Api, run: Run) -> None:
    api.answers("GET", SIGNAL, MISSING, receipt("deduplicated", "", None))

    assert run("signals", "get", SIGNAL_ID, "--wait", "5").out.startswith("deduplicated")
