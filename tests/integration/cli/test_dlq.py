"""`case-cli dlq` on a running stack: what lies there is listed, shown and folded after all, once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from confluent_kafka import Message, Producer

from infra.cli.operate.log import Log, place_of
from schemas import codec
from streams.cases.commands import ChangeTitle
from streams.text import Sealed
from streams.topics import CASE_COMMANDS
from tests.integration.cli.operating import Operate, engines_file, operate, until
from tests.stack import Stack

__all__ = ["engines_file", "operate"]

pytestmark = pytest.mark.engines

GROUP = "worker.stage.cases"
DEAD = f"{GROUP}.dlq"


@dataclass(frozen=True)
class Buried:
    """A case, and a letter to it that a stage had made before the case was opened: by its origin it is old."""

    stack: Stack
    case_id: str
    letter: str

    def title(self) -> str:
        with self.stack.client() as client:
            found: str = client.get(f"/api/v2/cases/{self.case_id}").json()["data"]["attributes"]["title"]
        return found


def bury(stack: Stack, opening: Message, value: bytes | None) -> str:
    place, offset = place_of(opening)
    producer = Producer({"bootstrap.servers": stack.prepared.env["CASESTREAM_KAFKA"], "log_level": 0})
    stood = {"topic": CASE_COMMANDS, "partition": str(place.partition), "offset": str(offset), "error": "it stumbled"}
    acked: list[Message] = []
    producer.produce(
        DEAD,
        value,
        opening.key(),
        partition=place.partition,
        headers=list(stood.items()),
        on_delivery=lambda _error, message: acked.append(message),
    )
    assert producer.flush(15) == 0
    return f"{acked[0].partition()}:{acked[0].offset()}"


def opening_of(stack: Stack, case_id: str) -> Message:
    log = Log(stack.prepared.env["CASESTREAM_KAFKA"])
    return next(
        message
        for message in log.read(log.bounds([CASE_COMMANDS]))
        if (message.key() or b"").decode().endswith(case_id)
    )


@pytest.fixture
def buried(stack: Stack) -> Buried:
    with stack.client() as client:
        tenant = stack.tenants[0]
        project = {"data": {"id": tenant["project_id"], "type": "project"}}
        attributes = {"title": "Checkout is slow", "type_id": "00000000-0000-0000-0000-000000000001"}
        body = {"data": {"type": "case", "attributes": attributes, "relationships": {"project": project}}}
        made = client.post("/api/v2/cases", json=body)
        assert made.status_code == 201, made.text
        case_id: str = made.json()["data"]["id"]
    opening = opening_of(stack, case_id)
    told = codec.decode(opening.value()).envelope
    assert told.origin is not None
    said = str(uuid.uuid4())
    envelope = replace(told, id=said, correlation_id=said, reply_by=None)
    return Buried(
        stack, case_id, bury(stack, opening, codec.encode(envelope, ChangeTitle(title=Sealed.plain("Mended"))))
    )


def test_a_letter_is_listed_shown_and_folded_after_all_and_only_once(buried: Buried, operate: Operate) -> None:
    listed = operate("dlq", "list", GROUP, "--limit", "100000", exits=1)["letters"]
    assert buried.letter in {letter["letter"] for letter in listed}
    groups = {group["group"]: group for group in operate("dlq", "list", exits=1)["groups"]}
    assert groups[GROUP]["causes"]["it stumbled"] >= 1

    shown = operate("dlq", "show", GROUP, buried.letter, "--text")
    assert (shown["schema"], shown["body"]) == ("cases/change_title", {"title": "Mended"})

    dry = operate("dlq", "redrive", GROUP, "--case", buried.case_id, "--dry-run")
    assert (dry["would_redrive"], dry["redriven"], buried.title()) == (1, 0, "Checkout is slow")

    done = operate("dlq", "redrive", GROUP, "--case", buried.case_id, "--yes")
    assert done == {"redriven": 1, "would_redrive": 0, "taken": True, "returned": [], "left": []}
    until(lambda: buried.title() == "Mended", what="the letter is not folded")

    assert operate("dlq", "redrive", GROUP, "--case", buried.case_id, "--yes")["redriven"] == 0
    listed = operate("dlq", "list", GROUP, "--limit", "100000", exits=1 if _others(operate) else 0)["letters"]
    assert buried.letter not in {letter["letter"] for letter in listed}


def _others(operate: Operate) -> bool:
    """Whether other tests have left letters of this group here."""
    planned = operate("dlq", "redrive", GROUP, "--dry-run")
    return bool(planned["would_redrive"] or planned["left"])


def test_bytes_that_nothing_can_decode_are_left_where_they_are(stack: Stack, buried: Buried, operate: Operate) -> None:
    letter = bury(stack, opening_of(stack, buried.case_id), b"not avro at all")
    partition, _, offset = letter.partition(":")
    one = ("--partition", partition, "--from", offset, "--to", offset, "--yes")

    done = operate("dlq", "redrive", GROUP, *one)

    assert done["redriven"] == 0
    assert done["left"] == [{"letter": letter, "why": "the first byte is 110, not 0"}]
    assert operate("dlq", "show", GROUP, letter)["undecodable"] == "the first byte is 110, not 0"


def test_nothing_is_appended_without_a_yes(buried: Buried, operate: Operate) -> None:
    refused = operate("dlq", "redrive", GROUP, "--case", buried.case_id, exits=2)
    assert refused["errors"] == [f"1 letter of {GROUP} would be redriven"]
    assert buried.title() == "Checkout is slow"
    assert operate("dlq", "redrive", GROUP, "--from", "3", exits=2)["hint"] == "Name it with --partition."
    assert operate("dlq", "show", GROUP, "0:999999", exits=3)["errors"] == [f"{GROUP} has no letter 0:999999"]
    assert operate("dlq", "list", "nobody", exits=3)["errors"] == ["there is no group nobody"]


def test_a_letter_that_is_given_up_is_recorded_and_answered_as_rejected(buried: Buried, operate: Operate) -> None:
    opening = opening_of(buried.stack, buried.case_id)
    told = codec.decode(opening.value()).envelope
    said = str(uuid.uuid4())
    waits = replace(told, id=said, correlation_id=said, reply_by=told.recorded_at + 5_000_000)
    letter = bury(buried.stack, opening, codec.encode(waits, ChangeTitle(title=Sealed.plain("Given up"))))

    dry = operate("dlq", "discard", GROUP, "--case", buried.case_id, "--reason", "a drill", "--dry-run")
    assert dry == {"discarded": 0, "would_discard": 2}
    refused = operate("dlq", "discard", GROUP, "--case", buried.case_id, "--reason", "a drill", exits=2)
    assert refused["hint"] == "Say --yes, or --dry-run to look first."
    done = operate("dlq", "discard", GROUP, "--case", buried.case_id, "--reason", "a drill", "--yes")

    assert done["discarded"] == 2
    given_up = {one["letter"]: one for one in operate("dlq", "list", GROUP, "--discarded")["letters"]}
    assert {given_up[name]["reason"] for name in (buried.letter, letter)} == {"a drill"}
    assert operate("dlq", "redrive", GROUP, "--case", buried.case_id, "--yes")["redriven"] == 0
    until(lambda: _outcome(buried, said) == [("rejected", "command.discarded", "a drill")], what="nobody is told")
    assert buried.title() == "Checkout is slow"


def _outcome(buried: Buried, command_id: str) -> list[Any]:
    with psycopg.connect(buried.stack.prepared.postgres_reader) as connection:
        return connection.execute(
            "SELECT verdict, code, detail FROM command_outcome WHERE command_id = %s", (command_id,)
        ).fetchall()
