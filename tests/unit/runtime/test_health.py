"""Health: alive, ready with causes, metrics."""

from __future__ import annotations

import httpx
from prometheus_client import CollectorRegistry, Counter

from infra.runtime.health import Health


def test_it_is_ready_when_every_check_is_well() -> None:
    trouble: list[str] = ["starting"]
    health = Health("worker.cases", registry=CollectorRegistry())
    health.register("stage", lambda: trouble[0] if trouble else None)
    health.register("broker", lambda: None)

    with health.serving(0) as port:
        before = httpx.get(f"http://127.0.0.1:{port}/readyz")
        trouble.clear()
        after = httpx.get(f"http://127.0.0.1:{port}/readyz")

    assert before.status_code == 503
    assert before.json() == {
        "role": "worker.cases",
        "ready": False,
        "checks": {"stage": {"ready": False, "cause": "starting"}, "broker": {"ready": True}},
    }
    assert after.status_code == 200
    assert after.json()["ready"] is True


def test_a_check_that_raises_is_a_cause() -> None:
    def broken() -> str | None:
        raise ConnectionError("no route")

    health = Health("api", registry=CollectorRegistry())
    health.register("postgres", broken)

    assert health.report().checks == {"postgres": "no route"}
    assert not health.report().ready


def test_alive_does_not_ask_the_checks() -> None:
    health = Health("api", registry=CollectorRegistry())
    health.register("postgres", lambda: "away")

    with health.serving(0) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz")

    assert answer.status_code == 200
    assert answer.json()["role"] == "api"


def test_metrics_are_prometheus_text() -> None:
    registry = CollectorRegistry()
    Counter("casestream_test", "A test", registry=registry).inc(2)

    with Health("api", registry=registry).serving(0) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics")

    assert "casestream_test_total 2.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_an_unknown_path_names_those_there_are() -> None:
    with Health("api", registry=CollectorRegistry()).serving(0) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/")

    assert answer.status_code == 404
    assert "/readyz" in answer.text
