"""A schema of tomorrow on an events topic: its partition waits, says so in every way, and goes on after the upgrade."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from schemas import codec
from sinks.base import Raw
from streams.cases.events import CommentAdded
from streams.topics import CASE_EVENTS
from tests.fakes.story import everything
from tests.integration.sinks.test_process import PARTITIONS, Role
from tests.migrated import Migrated
from tests.older_codec import forget

pytestmark = pytest.mark.engines


@pytest.fixture
def role(kafka_bootstrap: str, migrated: Migrated) -> Role:
    migrated.empty()
    return Role(kafka_bootstrap, migrated)


def records() -> list[Raw]:
    return everything(partitions=PARTITIONS).records(CASE_EVENTS)


def firsts() -> dict[int, int]:
    """By partition, the offset of the first event that an older reader does not know."""
    found: dict[int, int] = {}
    for raw in records():
        if isinstance(codec.decode(raw.value).body, CommentAdded):
            found.setdefault(raw.partition, raw.offset)
    return found


def schema_id() -> int:
    value = next(r.value for r in records() if isinstance(codec.decode(r.value).body, CommentAdded))
    return int.from_bytes((value or b"")[1:5], "big")


def positions(role: Role) -> dict[int, int]:
    asked = "SELECT partition, next_offset FROM projection_offset WHERE topic = %s"
    return dict(role.database.ask(asked, role.prefix + CASE_EVENTS))


def ready(role: Role) -> Any:
    return httpx.get(f"http://127.0.0.1:{role.port}/readyz", timeout=2)


def within(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_partition_waits_for_an_upgrade_and_goes_on_by_itself_after_it(
    role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, group = role.prefix + CASE_EVENTS, f"sink.{role.prefix}{CASE_EVENTS}"
    held, foreign = firsts(), schema_id()
    ends = {p: sum(raw.partition == p for raw in records()) for p in range(PARTITIONS)}
    assert held
    producer = Producer({"bootstrap.servers": role.bootstrap})
    for raw in records():
        producer.produce(topic, raw.value, raw.key, partition=raw.partition)
    assert producer.flush(30) == 0

    def waits() -> None:
        within(lambda: positions(role) == {**ends, **held})
        within(lambda: ready(role).status_code == 503)
        assert f"for an upgrade of this reader: schema id {foreign} is not known here" in ready(role).text
        assert REGISTRY.get_sample_value("sink_held_partitions", {"group": group}) == len(held)
        # What it waits for is lag, which an alert sees as well.
        within(lambda: lags() == {p: ends[p] - offset for p, offset in held.items()})

    def lags() -> dict[int, float | None]:
        labels = ({"group": group, "partition": str(p)} for p in held)
        return {int(at["partition"]): REGISTRY.get_sample_value("sink_lag_records", at) for at in labels}

    def goes_on() -> None:
        within(lambda: positions(role) == ends)
        within(lambda: ready(role).status_code == 200)
        assert REGISTRY.get_sample_value("sink_held_partitions", {"group": group}) == 0

    with monkeypatch.context() as older, capture_logs() as logged:
        forget(older, foreign)
        assert role.serve(waits) == []
    said = [line["cause"] for line in logged if line["event"] == "a newer writer"]
    assert len(said) == len(held)
    assert all(f"waits at offset {held[int(line.split()[1])]} for an upgrade" in line for line in said)

    assert role.serve(goes_on) == []
    comments = sum(isinstance(codec.decode(raw.value).body, CommentAdded) for raw in records())
    assert role.database.ask("SELECT count(*) FROM timeline_cell") == [(comments,)]
