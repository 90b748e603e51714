"""Dead letters that are given up: what is appended for that, and who may no longer wait. Pure."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import uuid4

from infra.cli.operate.letter import Letter
from infra.cli.operate.plan import ACTOR, SOURCE
from schemas import codec
from schemas.codec import Decoded, Undecodable
from streams.envelope import Envelope
from streams.outcomes import CommandRejected
from streams.parked import UnparkCase
from topologies.graph import Stage

CODE = "command.discarded"
"""The code of the outcome of a command that an operator gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """One record to append for letters that are given up."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes


def farewells(
    letters: Iterable[Letter], staying: Collection[bytes], stage: Stage | None, reason: str
) -> list[Farewell]:
    """Return what to append before letters of a group are marked as given up.

    stage: whose letters they are; None: of a sink or a source, where nobody waits. staying: keys that keep letters, whose
    cases stay parked. A command that has a caller ends in a rejection with the reason, the same one however often this is
    run. A case that has no letter left is not parked any more.
    """
    if stage is None:
        return []
    said: list[Farewell] = []
    unparked: set[bytes] = set()
    for letter in letters:
        command = _command(letter, stage)
        if command is None:
            continue
        if stage.parks and letter.key is not None and letter.key not in staying and letter.key not in unparked:
            unparked.add(letter.key)
            value = codec.encode(_operator(command.envelope), UnparkCase())
            said.append(Farewell(topic=letter.topic, partition=letter.partition, key=letter.key, value=value))
        if stage.events is not None and command.envelope.reply_by is not None:
            value = _rejection(command, reason)
            said.append(Farewell(topic=stage.events, partition=letter.partition, key=letter.key, value=value))
    return said


def _command(letter: Letter, stage: Stage) -> Decoded | None:
    if letter.topic != stage.reads or letter.partition < 0:
        return None
    try:
        return codec.decode(letter.value)
    except Undecodable:
        return None


def _rejection(command: Decoded, reason: str) -> bytes:
    envelope = command.envelope
    told = envelope.event(0, envelope.aggregate_id, version=None, source=SOURCE, last=True)
    return codec.encode(told, CommandRejected(command=command.name, code=CODE, detail=reason))


def _operator(told: Envelope) -> Envelope:
    command_id = str(uuid4())
    now = time.time_ns() // 1000
    return Envelope(
        tenant_id=told.tenant_id,
        aggregate_id=told.aggregate_id,
        id=command_id,
        correlation_id=command_id,
        source=SOURCE,
        actor=ACTOR,
        occurred_at=now,
        recorded_at=now,
    )
