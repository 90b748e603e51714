"""`alert.signals` to `alert.commands` on real Kafka and Postgres: partitioners, crashes, bad input, engines that are away."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition

from infra.runtime.consuming import PositionLost
from schemas import codec
from schemas.signal import AlertSignal
from sources.kafka_loop import SignalLoop
from sources.routing import RoutingKeys
from streams.ids import routing_hash
from streams.outcomes import Receipt
from tests.fakes.edge import KEY, OTHER_KEY, OTHER_TENANT, TENANT
from tests.integration.sources.conftest import (
    PARTITIONS,
    Door,
    Logs,
    Running,
    Views,
    await_,
    bind,
    revoke,
    running,
)
from topologies.partition import partition_of
from topologies.step import Outgoing
from topologies.testing import TopologyTestDriver

pytestmark = pytest.mark.engines

ACTIONS = ("trigger", "acknowledge", "resolve", "trigger")
PARTITIONERS = ["consistent_random", "consistent", "murmur2", "murmur2_random", "fnv1a", "random"]


def signal(alert: str, action: str = "trigger", key: str = KEY, **more: Any) -> AlertSignal:
    return AlertSignal(routing_key=key, action=action, dedup_key=alert, summary=f"{alert} is on fire 🔥", **more)


def story(alerts: int) -> list[AlertSignal]:
    """The same short life of many alerts."""
    return [signal(f"disk/{n}", action) for action in ACTIONS for n in range(alerts)]


def headers(message: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers()}


def test_a_producer_is_served_whatever_its_partitioner(logs: Logs, views: Views) -> None:
    sent = [signal(f"{name}/{n}", action) for name in PARTITIONERS for action in ACTIONS for n in range(10)]
    with running(logs, views.app):
        for name in PARTITIONERS:
            mine = [s for s in sent if (s.dedup_key or "").startswith(f"{name}/")]
            logs.send(*(((s.dedup_key or "").encode(), codec.encode_row(s)) for s in mine), partitioner=name)
        logs.await_committed(len(sent))
    records = logs.read(logs.topics.commands)
    assert len(records) == len(sent)
    assert all(record.partition() == partition_of(record.key() or b"", PARTITIONS) for record in records)
    by_alert: dict[str, list[str]] = defaultdict(list)
    for decoded in logs.commands():
        by_alert[decoded.body.dedup_key].append(decoded.body.action.value)
    assert {alert: sorted(actions) for alert, actions in by_alert.items()} == {
        s.dedup_key: sorted(ACTIONS) for s in sent
    }
    # By "random" a producer gives up the order of its own records.
    assert all(actions == list(ACTIONS) for alert, actions in by_alert.items() if not alert.startswith("random/"))


def test_a_record_without_a_key_or_with_any_key_is_taken(logs: Logs, views: Views) -> None:
    value = codec.encode_row(signal("a"))
    keys = [None, b"", b"\xff\x00", str(uuid.uuid4()).encode(), TENANT.encode(), f"{TENANT}/x".encode()]
    logs.send(*((key, value) for key in keys))
    with running(logs, views.app):
        logs.await_committed(len(keys))
    assert len(logs.commands()) == len(keys)
    assert logs.read(logs.topics.dead) == []


def test_a_crash_before_the_commit_repeats_the_same_bytes_and_changes_nothing(logs: Logs, views: Views) -> None:
    sent = story(10)
    logs.send(*(((s.dedup_key or "").encode(), codec.encode_row(s)) for s in sent))
    crashing = SignalLoop(logs.bootstrap, RoutingKeys(views.app), topics=logs.topics, batch=7)
    crashing._commit = lambda: None  # type: ignore[method-assign]  # it never comes to the commit
    ran = Running(crashing)
    await_(lambda: len(logs.read(logs.topics.commands)) >= len(sent), "everything is appended")
    ran.end()
    assert logs.committed() == 0
    with running(logs, views.app):
        logs.await_committed(len(sent))
    records = logs.read(logs.topics.commands)
    assert len(records) == 2 * len(sent)
    by_key: dict[bytes, list[bytes]] = defaultdict(list)
    for record in records:
        by_key[record.key() or b""].append(record.value() or b"")
    for values in by_key.values():
        assert values == 2 * values[: len(ACTIONS)]
        origins = [codec.decode(value).envelope.origin for value in values[: len(ACTIONS)]]
        offsets = [origin.offset for origin in origins if origin is not None]
        assert offsets == sorted(offsets), "in the order of the public log"

    driver = TopologyTestDriver(partitions=PARTITIONS)
    for record in records:
        driver.append(Outgoing("alert.commands", record.partition(), record.key(), record.value()))
    driver.run()
    for n in range(10):
        alert = driver.state("alerts", f"{TENANT}/{routing_hash(KEY)}/disk/{n}")
        assert (alert.episode, alert.triggers, alert.version) == (2, 1, 4)


def test_a_producer_that_writes_a_signal_twice_is_known_by_its_id(logs: Logs, views: Views) -> None:
    first, last = (signal("a", action, signal_id=str(uuid.uuid4())) for action in ("trigger", "resolve"))
    logs.signal(first, last, first, key=b"a")
    with running(logs, views.app):
        logs.await_committed(3)
    driver = TopologyTestDriver(partitions=PARTITIONS)
    for record in logs.read(logs.topics.commands):
        driver.pipe_bytes("alert.commands", record.key() or b"", record.value())
    alert = driver.state("alerts", f"{TENANT}/{routing_hash(KEY)}/a")
    assert (alert.status, alert.episode) == ("RESOLVED", 1), "the late repetition opened nothing"


def test_what_is_no_signal_goes_to_the_dead_letters_and_the_rest_flows(logs: Logs, views: Views) -> None:
    good = codec.encode_row(signal("a"))
    bad = [b"", b"junk", b"\x00\x00\x00\x00\x01\xff", b"\x00\x0f\x42\x3f\x01" + good[5:], good[:-1], None]
    logs.send(*((b"k", value) for value in (good, *bad, good)))
    with running(logs, views.app):
        logs.await_committed(len(bad) + 2)
    assert len(logs.commands()) == 2
    letters = logs.read(logs.topics.dead)
    assert [letter.value() for letter in letters] == [value if value is not None else None for value in bad]
    assert [headers(letter)["offset"] for letter in letters] == [str(n) for n in range(1, len(bad) + 1)]
    assert {headers(letter)["topic"] for letter in letters} == {logs.topics.signals}
    assert "UnknownSchema" in headers(letters[3])["error"]
    assert logs.read(logs.topics.events) == []


def test_a_refused_signal_is_a_dead_letter_with_a_receipt(logs: Logs, views: Views) -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    wrong = [
        signal("a", "resolve", signal_id=ids[0], labels={f"l{n}": "" for n in range(300)}),
        replace(signal("b", signal_id=ids[1]), summary=""),
        signal("c", "close", signal_id=ids[2]),
    ]
    logs.signal(*wrong, key=b"k")
    with running(logs, views.app):
        logs.await_committed(3)
    assert logs.commands() == []
    assert len(logs.read(logs.topics.dead)) == 3
    events = logs.read(logs.topics.events)
    settled = {d.body.signal_id: d for d in (codec.decode(event.value()) for event in events)}
    assert set(settled) == set(ids)
    assert {d.body.receipt for d in settled.values()} == {Receipt.REJECTED}
    assert settled[ids[0]].body.reason == "limit.exceeded:labels"
    for event in events:
        assert event.partition() == partition_of(event.key() or b"", PARTITIONS)


def test_a_key_that_names_another_tenant_is_refused(logs: Logs, views: Views) -> None:
    keys = [OTHER_TENANT, f"{OTHER_TENANT}/H/a", f"{uuid.uuid4()}/H/a"]
    for key in keys:
        logs.signal(signal("a", signal_id=str(uuid.uuid4())), key=key.encode())
    with running(logs, views.app):
        logs.await_committed(len(keys))
    assert logs.commands() == []
    letters = logs.read(logs.topics.dead)
    assert {(letter.key() or b"").decode() for letter in letters} == set(keys)
    assert all("another tenant" in headers(letter)["error"] for letter in letters)
    settled = [codec.decode(event.value()) for event in logs.read(logs.topics.events)]
    assert [d.envelope.tenant_id for d in settled] == [TENANT] * len(keys), "whose routing key it is"
    assert all(d.body.reason.startswith("key_names_another_tenant") for d in settled)


def test_the_routing_key_decides_the_tenant(logs: Logs, views: Views) -> None:
    logs.signal(signal("a"), signal("a", key=OTHER_KEY), signal("a", key="nobody's"))
    with running(logs, views.app):
        logs.await_committed(3)
    assert sorted(d.envelope.tenant_id for d in logs.commands()) == [TENANT, OTHER_TENANT]
    (letter,) = logs.read(logs.topics.dead)
    assert headers(letter)["error"] == "the routing key is not valid"
    assert logs.read(logs.topics.events) == []


def test_a_key_that_is_revoked_is_refused_soon(logs: Logs, views: Views) -> None:
    key = uuid.uuid4().hex
    bind(views, TENANT, key)
    with running(logs, views.app):
        logs.signal(signal("a", key=key))
        logs.await_committed(1)
        revoke(views, key)
        deadline = time.monotonic() + 10
        sent = 1
        while not logs.read(logs.topics.dead):
            assert time.monotonic() < deadline
            logs.signal(signal("a", key=key))
            sent += 1
            logs.await_committed(sent)
    assert len(logs.commands()) >= 1


def test_a_transaction_counts_when_it_is_committed(logs: Logs, views: Views) -> None:
    producer = Producer({"bootstrap.servers": logs.bootstrap, "transactional.id": logs.name})
    producer.init_transactions(30)
    for end in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        for n in range(5):
            producer.produce(
                logs.topics.signals, codec.encode_row(signal(f"{end.__name__}/{n}")), partition=n % PARTITIONS
            )
        producer.flush(30)
        end(30)
    with running(logs, views.app):
        await_(lambda: len(logs.read(logs.topics.commands)) >= 5, "the committed five are taken")
    assert {d.body.dedup_key for d in logs.commands()} == {f"commit_transaction/{n}" for n in range(5)}


def test_while_postgres_is_away_the_same_records_wait(logs: Logs, views: Views, door: Door) -> None:
    with running(logs, door.dsn) as ran:
        logs.signal(signal("a"), signal("b"))
        await_(lambda: "Postgres" in (ran.loop.ping() or ""), "the source says what it waits for")
        assert logs.committed() == 0
        door.open()
        logs.await_committed(2)
        await_(lambda: ran.loop.ping() is None, "it is ready")
        door.shut()
        time.sleep(1.1)  # a key is believed for a second
        logs.signal(signal("c"))
        await_(lambda: "Postgres" in (ran.loop.ping() or ""), "it waits again")
        door.open()
        logs.await_committed(3)
    assert {d.body.dedup_key for d in logs.commands()} == {"a", "b", "c"}
    assert logs.read(logs.topics.dead) == []


def test_a_stop_while_postgres_is_away_commits_nothing(logs: Logs, door: Door) -> None:
    with running(logs, door.dsn) as ran:
        logs.signal(signal("a"))
        await_(lambda: "Postgres" in (ran.loop.ping() or ""), "it waits")
    assert logs.committed() == 0


def test_an_offset_that_was_cut_from_the_log_is_an_error(logs: Logs, views: Views) -> None:
    logs.send(*((str(n).encode(), codec.encode_row(signal(f"{n}"))) for n in range(60)))
    logs.commit(1)
    cut = [TopicPartition(logs.topics.signals, p, 5) for p in range(PARTITIONS)]
    for deleted in logs.admin.delete_records(cut).values():
        deleted.result(30)
    ended = Running(SignalLoop(logs.bootstrap, RoutingKeys(views.app), topics=logs.topics))
    await_(lambda: not ended.thread.is_alive(), "the loop ends")
    assert isinstance(ended.error, PositionLost)
    assert "signals are lost" in str(ended.error)
    assert logs.read(logs.topics.commands) == []


def test_an_offset_beyond_the_log_is_an_error(logs: Logs, views: Views) -> None:
    logs.commit(1_000)
    ended = Running(SignalLoop(logs.bootstrap, RoutingKeys(views.app), topics=logs.topics))
    await_(lambda: not ended.thread.is_alive(), "the loop ends")
    assert isinstance(ended.error, PositionLost)
    assert (ended.loop.ping() or "").startswith("ended: ")


def test_two_loops_share_the_partitions_and_lose_nothing(logs: Logs, views: Views) -> None:
    sent = [signal(f"{n}") for n in range(3_000)]
    with running(logs, views.app, batch=50):
        logs.send(*((None, codec.encode_row(s)) for s in sent[:1_500]))
        with running(logs, views.app, batch=50):
            logs.send(*((None, codec.encode_row(s)) for s in sent[1_500:]))
            logs.await_committed(len(sent))
    assert {d.body.dedup_key for d in logs.commands()} == {s.dedup_key for s in sent}
