"""What a redrive does, decided before anything is done. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from infra.cli.operate.again import Hopeless, again
from infra.cli.operate.letter import Letter
from schemas import codec
from schemas.topics import MAX_RECORD_BYTES
from streams.envelope import Envelope
from streams.parked import UnparkCase
from topologies.runner import ASTRAY, MISNAMED

ACTOR = "system:operator"
SOURCE = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One record to append where a letter's record stood.

    letters: those that it settles, all of one record; empty for a command that takes a mark off a case.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    letters: tuple[Letter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """deeds: in order within each partition. hopeless: letters that would come back at once, each with why."""

    deeds: tuple[Deed, ...]
    hopeless: tuple[tuple[Letter, str], ...]


def plan(letters: Iterable[Letter], *, parks: bool) -> Plan:
    """Return what to append for these letters, which come in order. parks: whether their stage parks cases.

    Letters of one record are one. Before the first letter of a case its mark is taken off, whether or not it has one.
    """
    same: dict[tuple[object, ...], list[Letter]] = {}
    for letter in letters:
        same.setdefault(letter.identity, []).append(letter)
    deeds: list[Deed] = []
    hopeless: list[tuple[Letter, str]] = []
    begun: set[bytes] = set()
    for copies in same.values():
        letter = copies[0]
        try:
            value = _value(letter)
        except Hopeless as why:
            hopeless += [(copy, str(why)) for copy in copies]
            continue
        if parks and letter.key is not None and letter.key not in begun:
            begun.add(letter.key)
            deeds.append(_unpark(letter, letter.key))
        deeds.append(
            Deed(topic=letter.topic, partition=letter.partition, key=letter.key, value=value, letters=tuple(copies))
        )
    return Plan(deeds=tuple(deeds), hopeless=tuple(hopeless))


def _value(letter: Letter) -> bytes:
    if not letter.topic or letter.partition < 0 or letter.at < 0:
        raise Hopeless("it does not say where it stood")
    if letter.cause.startswith(ASTRAY):
        raise Hopeless(
            "it stood in another partition than its key's: append it by a producer that partitions by murmur2"
        )
    if MISNAMED in letter.cause:
        raise Hopeless("its key is not that of its value")
    value = again(letter.topic, letter.value, partition=letter.partition, offset=letter.at)
    if len(value) + len(letter.key or b"") > MAX_RECORD_BYTES:
        raise Hopeless(f"it is over the limit of {MAX_RECORD_BYTES} bytes")
    return value


def _unpark(letter: Letter, key: bytes) -> Deed:
    told = codec.decode(letter.value).envelope
    command_id = str(uuid4())
    now = time.time_ns() // 1000
    envelope = Envelope(
        tenant_id=told.tenant_id,
        aggregate_id=told.aggregate_id,
        id=command_id,
        correlation_id=command_id,
        source=SOURCE,
        actor=ACTOR,
        occurred_at=now,
        recorded_at=now,
    )
    return Deed(topic=letter.topic, partition=letter.partition, key=key, value=codec.encode(envelope, UnparkCase()))
