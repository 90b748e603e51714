"""What a row remembers so that a repeated record changes nothing. It stands before the row's state.

Layout, big-endian: u8 format, u16 generation, i64 offset, u16 number of origins, each (u8 topic, u16 generation,
u16 partition, i64 offset, u32 n), u16 number of remembered command ids, 16 bytes each; then the state as framed by
the codec, or nothing. Fixed widths, because this is read and written for every record.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from streams.envelope import Origin
from streams.topics import ALERT_COMMANDS, ALERT_SIGNALS, CASE_COMMANDS, CASE_INTAKE, CASE_REACTIONS, CONFIG_COMMANDS

REMEMBERED: Final = 32
"""How many commands from the edge a row remembers; older repeats are answered before they are appended."""

_FORMAT: Final = 1
_HEAD: Final = struct.Struct(">BHqH")
_ORIGIN: Final = struct.Struct(">BHHqI")
_COUNT: Final = struct.Struct(">H")
# Only ever appended to: the numbers are stored.
_TOPICS: Final = (ALERT_SIGNALS, ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS, CASE_REACTIONS, CONFIG_COMMANDS)
_NUMBER: Final = {topic: n for n, topic in enumerate(_TOPICS)}

Place = tuple[str, int, int]
"""Topic, generation, partition."""


@dataclass(slots=True)
class Guard:
    """generation, offset: of the last record about this row. origins: the highest (offset, n) of each source
    partition. recent: ids of the last commands from the edge, newest last.

    A command made of a record of the public topic is known again by both: its origin tells that the source took the
    record twice, its id that the producer wrote the signal twice.
    """

    generation: int = 0
    offset: int = -1
    origins: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    recent: tuple[bytes, ...] = ()

    def past(self, generation: int, offset: int) -> bool:
        """Whether the record at this place was folded into the row already."""
        return (generation, offset) <= (self.generation, self.offset)

    def repeated(self, origin: Origin | None, command_id: bytes) -> bool:
        """Whether this command was folded: by its origin where a stage made it, by its id where the edge did."""
        if _from_edge(origin) and command_id in self.recent:
            return True
        if origin is None:
            return False
        seen = self.origins.get((origin.topic, origin.generation, origin.partition))
        return seen is not None and (origin.offset, origin.n) <= seen

    def after(self, generation: int, offset: int, origin: Origin | None, command_id: bytes) -> Guard:
        """Return the guard once the command is folded."""
        recent = (*self.recent[-(REMEMBERED - 1) :], command_id) if _from_edge(origin) else self.recent
        if origin is None:
            return Guard(generation, offset, self.origins, recent)
        place = (origin.topic, origin.generation, origin.partition)
        return Guard(generation, offset, {**self.origins, place: (origin.offset, origin.n)}, recent)

    def encode(self, state: bytes) -> bytes:
        """Return the row: this guard and the state's bytes."""
        parts = [_HEAD.pack(_FORMAT, self.generation, self.offset, len(self.origins))]
        parts += [
            _ORIGIN.pack(_NUMBER[topic], generation, partition, offset, n)
            for (topic, generation, partition), (offset, n) in self.origins.items()
        ]
        parts += (_COUNT.pack(len(self.recent)), *self.recent, state)
        return b"".join(parts)


def _from_edge(origin: Origin | None) -> bool:
    return origin is None or origin.topic == ALERT_SIGNALS


def split(row: bytes) -> tuple[Guard, bytes]:
    """Return a row's guard and the bytes of its state. Raises ValueError on another format."""
    layout, generation, offset, count = _HEAD.unpack_from(row)
    if layout != _FORMAT:
        raise ValueError(f"row format {layout}; this reader knows {_FORMAT}")
    at = _HEAD.size
    origins: dict[Place, tuple[int, int]] = {}
    for _ in range(count):
        number, origin_generation, partition, origin_offset, n = _ORIGIN.unpack_from(row, at)
        origins[_TOPICS[number], origin_generation, partition] = (origin_offset, n)
        at += _ORIGIN.size
    (remembered,) = _COUNT.unpack_from(row, at)
    at += _COUNT.size
    recent = tuple(row[at + 16 * i : at + 16 * (i + 1)] for i in range(remembered))
    return Guard(generation, offset, origins, recent), row[at + 16 * remembered :]


def newer(old: bytes, new: bytes) -> bool:
    """Whether `new` is at least as new a version of a row as `old`: what recovery keeps, whatever order it reads."""
    _, old_generation, old_offset, _ = _HEAD.unpack_from(old)
    _, new_generation, new_offset, _ = _HEAD.unpack_from(new)
    return (new_generation, new_offset) >= (old_generation, old_offset)
