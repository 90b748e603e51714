"""What giving letters up says to whoever waits, and which cases are parked no more."""

from __future__ import annotations

import uuid
from typing import Any

from infra.cli.operate.discard import CODE, farewells
from infra.cli.operate.letter import Letter
from infra.cli.operate.log import Place
from schemas import codec
from streams.cases.commands import ChangeTitle
from streams.envelope import Envelope
from streams.outcomes import CommandRejected
from streams.parked import UnparkCase
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_EVENTS
from topologies.graph import TOPOLOGY

CASES = TOPOLOGY.stage("cases")


def letter(offset: int, case: str = "a", *, asks: bool = True, value: bytes | None = None) -> Letter:
    said = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{case} {offset}"))
    envelope = Envelope(
        tenant_id="t",
        aggregate_id=case,
        id=said,
        correlation_id=said,
        source="api",
        actor="user:ada",
        occurred_at=1,
        recorded_at=1,
        reply_by=2 if asks else None,
    )
    return Letter(
        place=Place("worker.stage.cases.dlq", 0),
        offset=offset,
        key=f"t/{case}".encode(),
        value=codec.encode(envelope, ChangeTitle(title=Sealed.plain("x"))) if value is None else value,
        timestamp=0,
        topic=CASE_COMMANDS,
        partition=3,
        at=offset,
        cause="it stumbled",
    )


def bodies(said: list[Any]) -> list[tuple[str, Any]]:
    return [(one.topic, codec.decode(one.value).body) for one in said]


def test_a_caller_is_told_and_the_case_is_unparked_once() -> None:
    found = bodies(farewells([letter(0), letter(1)], set(), CASES, "of a broken client"))

    told = CommandRejected(command="cases/change_title", code=CODE, detail="of a broken client")
    assert found == [(CASE_COMMANDS, UnparkCase()), (CASE_EVENTS, told), (CASE_EVENTS, told)]


def test_the_answer_is_the_same_however_often_it_is_given() -> None:
    once, again = (farewells([letter(0)], {b"t/a"}, CASES, "why") for _ in range(2))
    assert once == again
    assert (once[0].partition, once[0].key) == (3, b"t/a")
    envelope = codec.decode(once[0].value).envelope
    assert (envelope.correlation_id, envelope.version) == (codec.decode(letter(0).value).envelope.id, None)


def test_a_case_that_keeps_letters_stays_parked() -> None:
    found = bodies(farewells([letter(0), letter(1, "b")], {b"t/a"}, CASES, "why"))
    assert [topic for topic, body in found if isinstance(body, UnparkCase)] == [CASE_COMMANDS]


def test_nobody_is_told_where_nobody_waits() -> None:
    assert farewells([letter(0, asks=False)], {b"t/a"}, CASES, "why") == []
    assert farewells([letter(0, value=b"bytes")], set(), CASES, "why") == []
    assert farewells([letter(0)], set(), None, "why") == []
