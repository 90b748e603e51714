"""Dead letters as their topic has them, and the marks that say which of them were redriven. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Message

from infra.cli.operate.log import Place, place_of
from schemas import codec

MARK: Final = "mark"
BEGUN: Final = "begun"
REDRIVEN: Final = "redriven"
DISCARDED: Final = "discarded"
"""Headers. `mark`: a record of ours in a topic of dead letters; its value names letters of the same partition. `redriven`,
on a record that was appended again: which letter it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Why and by whom letters were given up, and when, in ISO."""

    reason: str
    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter. place, offset: where it stands. topic, partition, at: where its record stood."""

    place: Place
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    topic: str
    partition: int
    at: int
    cause: str

    @property
    def name(self) -> str:
        """Return the place as it is typed and shown."""
        return f"{self.place.partition}:{self.offset}"

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return what letters of one and the same record have in common: a record may be buried twice."""
        try:
            return (self.topic, self.partition, codec.decode(self.value).envelope.id)
        except codec.Undecodable:
            return (self.topic, self.partition, self.at)


@dataclass(slots=True)
class Partition:
    """One partition of a topic of dead letters. begun: letters whose redrive began, with the end of their topic's
    partition then, and did not come to its end. discarded: letters that were given up.
    """

    letters: list[Letter] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    discarded: dict[int, Discard] = field(default_factory=dict)

    @property
    def pending(self) -> list[Letter]:
        return [letter for letter in self.letters if letter.offset not in self.settled]


def letters_of(messages: Iterable[Message]) -> dict[Place, Partition]:
    """Return what is in a topic of dead letters, by partition. The messages come in order within each."""
    found: dict[Place, Partition] = {}
    for message in messages:
        place, offset = place_of(message)
        partition = found.setdefault(place, Partition())
        headers = headers_of(message)
        mark = headers.get(MARK)
        if mark is None:
            partition.letters.append(_letter(place, offset, message, headers))
            continue
        named = json.loads(message.value() or b"{}")
        if mark == BEGUN:
            partition.begun |= dict.fromkeys(named["letters"], int(named["end"]))
        else:
            partition.settled |= set(named["letters"])
            for done in named["letters"]:
                partition.begun.pop(done, None)
            if mark == DISCARDED:
                why = Discard(reason=named["reason"], by=named["by"], at=named["at"])
                partition.discarded |= dict.fromkeys(named["letters"], why)
    return found


def headers_of(message: Message) -> dict[str, str]:
    """Return a record's headers as text."""
    return {
        name: value if isinstance(value, str) else (value or b"").decode(errors="replace")
        for name, value in _pairs(message)
    }


def _pairs(message: Message) -> list[tuple[str, str | bytes | None]]:
    headers = message.headers() or []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)


def mark_of(letters: Iterable[int], *, end: int | None = None, why: Discard | None = None) -> bytes:
    """Return the value of a mark."""
    named: dict[str, Any] = {"letters": sorted(letters)}
    if end is not None:
        named["end"] = end
    if why is not None:
        named |= {"reason": why.reason, "by": why.by, "at": why.at}
    return json.dumps(named).encode()


def _letter(place: Place, offset: int, message: Message, headers: Mapping[str, str]) -> Letter:
    def number(name: str) -> int:
        text = headers.get(name, "")
        return int(text) if text.isdecimal() else -1

    return Letter(
        place=place,
        offset=offset,
        key=message.key(),
        value=message.value(),
        timestamp=message.timestamp()[1],
        topic=headers.get("topic", ""),
        partition=number("partition"),
        at=number("offset"),
        cause=headers.get("error", ""),
    )
