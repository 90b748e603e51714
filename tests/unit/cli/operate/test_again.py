"""A letter as it is said again: no guard takes it for a repetition, and nothing newer is undone by it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from infra.cli.operate.again import Hopeless, again
from infra.runtime.auth import Route
from schemas import codec
from schemas.signal import AlertSignal
from sources.kafka import Raw, judge
from streams.alerts.commands import AlertEnded
from streams.cases.case import Status
from streams.cases.commands import ChangeStatus
from streams.config.changes import RulesChanged
from streams.config.rule import Rules
from streams.envelope import Envelope, Origin
from streams.parked import Parked
from streams.topics import ALERT_COMMANDS, ALERT_SIGNALS, CASE_COMMANDS, CASE_EVENTS

ID = "0190f5a2-0000-7000-8000-00000000000c"
ORIGIN = Origin(topic="case.intake", generation=1, partition=2, offset=7, n=0)


def envelope(origin: Origin | None = ORIGIN) -> Envelope:
    return Envelope(
        tenant_id="t",
        aggregate_id="a",
        id=ID,
        correlation_id=ID,
        source="stage.intake",
        origin=origin,
        actor="system:test",
        occurred_at=1,
        recorded_at=2,
    )


def test_a_stages_command_loses_its_origin_and_nothing_else() -> None:
    body = AlertEnded(case_id="c", seq=3)
    said = codec.decode(again(ALERT_COMMANDS, codec.encode(envelope(), body)))
    assert (said.envelope, said.body) == (replace(envelope(), origin=None), body)


def test_a_command_from_the_edge_is_left_as_it_is() -> None:
    value = codec.encode(envelope(None), ChangeStatus(status=Status.CLOSED))
    assert again(CASE_COMMANDS, value) == value


def test_configuration_keeps_its_origin_so_that_an_old_one_does_not_undo_a_newer() -> None:
    value = codec.encode(envelope(), RulesChanged(rules=Rules(project_key="OPS")))
    assert again(ALERT_COMMANDS, value) == value


def test_what_stands_in_an_events_topic_is_left_as_it_is() -> None:
    value = codec.encode(envelope(), AlertEnded(case_id="c", seq=3))
    assert again(CASE_EVENTS, value) == value


def test_a_public_signal_is_the_same_signal_again() -> None:
    signal = AlertSignal(routing_key="r", action="trigger", summary="disk full", dedup_key="d")
    route = Route(tenant_id=ID, project_id=ID, project_key="OPS", routing="0123456789abcdef")

    def signal_id(value: bytes, offset: int) -> str:
        read = codec.decode_row(value)
        command = judge(read, route, Raw(3, offset, 5, None, value), foreign=False)
        return codec.decode(command.value).envelope.correlation_id  # type: ignore[union-attr]

    first = codec.encode_row(signal)
    said = again(ALERT_SIGNALS, first, partition=3, offset=41)
    assert signal_id(said, 99) == signal_id(first, 41) != signal_id(first, 99)
    assert str(UUID(codec.decode_row(said).signal_id)) == codec.decode_row(said).signal_id
    assert again(ALERT_SIGNALS, said, partition=0, offset=0) == said


@pytest.mark.parametrize("topic", [ALERT_SIGNALS, CASE_COMMANDS, CASE_EVENTS])
@pytest.mark.parametrize(
    "value", [None, b"", b"not avro", b"\0\0\0\xff\xff", codec.encode_row(Parked(cause="", offset=0))]
)
def test_what_cannot_be_decoded_would_come_back(topic: str, value: bytes | None) -> None:
    with pytest.raises(Hopeless):
        again(topic, value)
