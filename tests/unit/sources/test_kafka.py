"""What records of `alert.signals` come to: commands, or dead letters with a receipt where the tenant is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas import codec
from schemas.signal import AlertSignal
from sources.base import Command
from sources.kafka import Dead, Raw, decode, judge, named_tenant
from streams.cases.case import Priority
from streams.ids import routing_hash
from streams.outcomes import Receipt
from tests.fakes.edge import KEY, OTHER_TENANT, TENANT, route

SIGNAL = AlertSignal(
    routing_key=KEY,
    action="trigger",
    dedup_key="disk/full",
    summary="Disk is full",
    severity="error",
    source="db-1",
    component="disk",
    group="storage",
    event_class="capacity",
    starts_at=1_700_000_000_000_000,
    labels={"region": "eu"},
    details='{"used": 0.95}',
    signal_id="9b2d2f0e-6c6b-4b7a-9a52-3a1f3a0f7f10",
)
RAW = Raw(partition=2, offset=41, timestamp=1_700_000_000_123, key=None, value=None)


def judged(signal: AlertSignal, raw: Raw = RAW, *, foreign: bool = False) -> Command | Dead:
    return judge(signal, route(), raw, foreign=foreign)


def taken(signal: AlertSignal, raw: Raw = RAW) -> codec.Decoded:
    command = judged(signal, raw)
    assert isinstance(command, Command), command
    return codec.decode(command.value)


def refused(signal: AlertSignal, *, foreign: bool = False) -> Dead:
    dead = judged(signal, foreign=foreign)
    assert isinstance(dead, Dead), dead
    return dead


def test_a_record_is_translated_whole() -> None:
    command = judged(SIGNAL)
    assert isinstance(command, Command)
    assert command.key == f"{TENANT}/{routing_hash(KEY)}/disk/full"
    decoded = codec.decode(command.value)
    envelope, body = decoded.envelope, decoded.body
    assert envelope.id == envelope.correlation_id == SIGNAL.signal_id
    assert (envelope.source, envelope.actor, envelope.tenant_id) == ("kafka", "integration:kafka", TENANT)
    assert envelope.occurred_at == envelope.recorded_at == 1_700_000_000_123_000
    origin = envelope.origin
    assert origin is not None
    assert (origin.topic, origin.partition, origin.offset, origin.n) == ("alert.signals", 2, 41, 0)
    assert body.summary.text == "Disk is full"
    assert body.priority is Priority.P2
    assert body.starts_at == 1_700_000_000_000_000
    assert body.details.text == '{"used": 0.95}'
    assert body.labels == {
        "region": "eu",
        "source": "db-1",
        "component": "disk",
        "group": "storage",
        "class": "capacity",
    }


def test_the_same_record_gives_the_same_bytes() -> None:
    assert judged(SIGNAL) == judged(SIGNAL)
    nameless = replace(SIGNAL, signal_id=None, dedup_key=None)
    assert judged(nameless) == judged(nameless)


def test_without_an_id_the_position_names_a_signal() -> None:
    nameless = replace(SIGNAL, signal_id=None)
    ids = {
        taken(nameless, raw).envelope.id
        for raw in (RAW, RAW._replace(offset=42), RAW._replace(partition=3), RAW._replace(generation=2))
    }
    assert len(ids) == 4
    assert taken(nameless).envelope.id == taken(nameless, RAW._replace(timestamp=0)).envelope.id


def test_a_trigger_without_a_key_is_an_alert_of_its_own() -> None:
    decoded = taken(replace(SIGNAL, dedup_key=None))
    assert decoded.body.dedup_key == SIGNAL.signal_id


def test_a_named_priority_goes_before_the_severity() -> None:
    assert taken(replace(SIGNAL, priority="P5")).body.priority is Priority.P5
    assert taken(replace(SIGNAL, severity=None)).body.priority is Priority.NOT_DEFINED


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_what_follows_needs_no_summary(action: str) -> None:
    assert taken(replace(SIGNAL, action=action, summary="")).body.action == action


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"action": "close"}, "signal.field_invalid:action"),
    ({"action": "resolve", "dedup_key": None}, "signal.field_missing:dedup_key"),
    ({"action": "acknowledge", "dedup_key": ""}, "signal.field_missing:dedup_key"),
    ({"summary": ""}, "signal.field_missing:summary"),
    ({"summary": " \x07\u202e"}, "signal.field_missing:summary"),
    ({"summary": "s" * 1025}, "limit.exceeded:summary"),
    ({"dedup_key": "k" * 256}, "limit.exceeded:dedup_key"),
    ({"description": "d" * 30_001}, "limit.exceeded:description"),
    ({"priority": "P6"}, "signal.field_invalid:priority"),
    ({"severity": "fatal"}, "signal.field_invalid:severity"),
    ({"starts_at": -1}, "signal.field_invalid:starts_at"),
    ({"starts_at": 1_700_000_000_000_000_000}, "signal.field_invalid:starts_at"),
    ({"labels": {f"l{n}": "" for n in range(201)}}, "limit.exceeded:labels"),
    ({"labels": {"a": "x" * 1025}}, "limit.exceeded:labels.a"),
    ({"source": "x" * 1025}, "limit.exceeded:labels.source"),
    ({"details": "[]"}, "signal.field_invalid:details"),
    ({"details": "{"}, "signal.field_invalid:details"),
    ({"details": '{"a": "' + "x" * 600_000 + '"}'}, "limit.exceeded:details"),
    ({"signal_id": "not a uuid"}, "signal.field_invalid:signal_id"),
]


@pytest.mark.parametrize(("changed", "reason"), WRONG, ids=[f"{n}-{case[1]}" for n, case in enumerate(WRONG)])
def test_a_refused_signal_has_a_receipt_that_can_be_asked_for(changed: dict[str, Any], reason: str) -> None:
    dead = refused(replace(SIGNAL, **changed))
    assert dead.receipt is not None
    key, value = dead.receipt
    settled = codec.decode(value)
    assert settled.body.receipt is Receipt.REJECTED
    assert settled.body.reason == reason
    assert settled.envelope.correlation_id == settled.body.signal_id
    assert key == f"{TENANT}/{settled.envelope.aggregate_id}"
    assert settled.envelope.aggregate_id.startswith(f"{routing_hash(KEY)}/")
    if "signal_id" not in changed:
        assert settled.body.signal_id == SIGNAL.signal_id
    assert dead == judged(replace(SIGNAL, **changed)), "it is the same whenever it is judged"


def test_limits_themselves_are_allowed() -> None:
    largest = replace(
        SIGNAL,
        dedup_key="k" * 255,
        summary="é" * 1024,
        description="€" * 30_000,
        labels={f"{n:0>200}": "v" * 100 for n in range(196)},
        details='{"a": "' + "x" * 524_279 + '"}',
    )
    command = judged(largest)
    assert isinstance(command, Command)
    assert len(command.value) < 1_000_000


def test_a_key_of_another_tenant_is_refused_with_a_receipt() -> None:
    dead = refused(SIGNAL, foreign=True)
    assert dead.receipt is not None
    assert codec.decode(dead.receipt[1]).envelope.tenant_id == TENANT
    assert "another tenant" in dead.cause


def test_an_unknown_routing_key_has_nobody_to_ask_for_a_receipt() -> None:
    dead = judge(SIGNAL, None, RAW, foreign=False)
    assert dead == Dead(cause="the routing key is not valid", reason="routing_key_unknown")
    assert KEY not in dead.cause


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (None, None),
        (b"", None),
        (b"disk/full", None),
        (b"\xff\xfe", None),
        (OTHER_TENANT.encode(), (OTHER_TENANT, False)),
        (f"{OTHER_TENANT}/anything".encode(), (OTHER_TENANT, True)),
        (OTHER_TENANT.upper().encode() + b"/", (OTHER_TENANT, True)),
        (f"{OTHER_TENANT}-more".encode(), None),
        (OTHER_TENANT.replace("-", "").encode(), None),
    ],
)
def test_which_tenant_a_key_names(key: bytes | None, named: tuple[str, bool] | None) -> None:
    assert named_tenant(key) == named


@pytest.mark.parametrize("timestamp", [-1, 0, 2**62])
def test_a_producers_clock_does_no_harm(timestamp: int) -> None:
    assert 0 <= taken(SIGNAL, RAW._replace(timestamp=timestamp)).envelope.occurred_at < 2**53


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x00\x00",
        b'{"routing_key": "x"}',
        b"\x00\x00\x00\x00\x01",
        b"\x00\x00\x00\x00\x01\xff\xff\xff",
        b"\x00\x00\x01\x86\x9f" + codec.encode_row(SIGNAL)[5:],
        codec.encode_row(SIGNAL)[:-1],
        codec.encode_row(SIGNAL) + b"\x00",
    ],
    ids=["none", "empty", "short", "json", "no body", "garbage", "unknown id", "cut", "too long"],
)
def test_what_is_no_signal_is_undecodable(value: bytes | None) -> None:
    with pytest.raises(codec.Undecodable):
        decode(value)


def test_another_record_type_is_no_signal() -> None:
    settled = refused(replace(SIGNAL, action="x")).receipt
    assert settled is not None
    with pytest.raises(codec.Undecodable):
        decode(settled[1])
