"""`case-cli lag` and `offsets` on a running stack: what they show is what the engines have."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from tests.integration.cli.operating import Operate, engines_file, operate, until
from tests.stack import PARTITIONS, Stack
from topologies.graph import TOPOLOGY

__all__ = ["engines_file", "operate"]

pytestmark = pytest.mark.engines


def test_every_group_catches_up_with_what_was_written(stack: Stack, operate: Operate) -> None:
    with stack.client() as client:
        tenant = stack.tenants[0]
        body = {"routing_key": tenant["routing_key"], "event_action": "trigger", "dedup_key": "lag"}
        payload = {"summary": "lag", "source": "test", "severity": "error"}
        assert client.post("/v2/enqueue", json={**body, "payload": payload}).status_code == 202

    until(lambda: operate("lag")["lag"] == 0, what="a group does not catch up")

    shown = operate("lag", "--max", "0")
    assert {group["group"] for group in shown["groups"]} == set(TOPOLOGY.groups())
    assert all(len(group["partitions"]) == PARTITIONS for group in shown["groups"])
    (cases,) = operate("lag", "sink.postgres.case")["groups"]
    assert sum(p["end"] for p in cases["partitions"]) > 0
    assert all(p["position"] == p["end"] == p["stored"] and p["trouble"] is None for p in cases["partitions"])


def test_a_group_that_stands_still_is_behind_and_says_so(stack: Stack, operate: Operate, engines_file: Path) -> None:
    until(lambda: operate("lag")["lag"] == 0, what="a group does not catch up")
    stopped = stack.roles["source.kafka"]
    stopped.process.stop()
    try:
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": stack.prepared.env["CASESTREAM_KAFKA"], "log_level": 0})
        for _ in range(3):
            producer.produce("alert.signals", b"nobody reads this yet", b"lag")
        assert producer.flush(15) == 0
        (source,) = operate("lag", "source.kafka.signals", "--max", "2", exits=1)["groups"]
        assert source["lag"] == 3
        assert operate("lag", "source.kafka.signals", "--max", "3")["lag"] == 3
        shown = CliRunner().invoke(app, ["lag", "source.kafka.signals", "--stack", str(engines_file)])
        assert shown.stdout.splitlines()[0].split() == ["GROUP", "TOPIC", "PARTITION", "END", "POSITION", "LAG"]
        assert shown.stderr == "3 records to go.\n"
    finally:
        stopped.start()
    until(lambda: operate("lag")["lag"] == 0, what="the source does not catch up")


def test_offsets_shows_every_position_that_is_kept(operate: Operate) -> None:
    until(
        lambda: all(
            (p["visible"] or 0) == p["end"] for p in operate("offsets", "sink.elasticsearch.case")["positions"]
        ),
        what="the index does not show everything",
    )
    view = operate("offsets", "sink.elasticsearch.case")["positions"]
    assert all((p["start"], p["generation"], p["stored"]) == (0, 1, p["end"]) for p in view)
    stage = operate("offsets", "worker.stage.cases")["positions"]
    assert all((p["stored"], p["generation"], p["kind"]) == (None, None, "stage") for p in stage)
    assert operate("offsets", "worker.stage.nobody", exits=3)["errors"] == ["there is no group worker.stage.nobody"]
