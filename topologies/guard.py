"""What a row remembers so that a repeated record changes nothing. It stands before the row's state.

Layout, big-endian: u8 format, u16 generation, i64 offset, u16 number of origins, each (u8 topic, u16 generation,
u16 partition, i64 offset, u32 n), u16 number of remembered command ids, 16 bytes each; then the state as framed by
the codec, or nothing. Fixed widths, because this is read and written for every record. Format 2 has u32 step behind the offset:
one tick leads to many changes, and each is newer than the one before. Format 3 is a timer (`topologies.timers`).
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
_STEPPED: Final = 2
TIMER: Final = 3
_HEAD: Final = struct.Struct(">BHqH")
_STEPPED_HEAD: Final = struct.Struct(">BHqIH")
_VERSION: Final = struct.Struct(">BHq")
_STEP: Final = struct.Struct(">I")
_ORIGIN: Final = struct.Struct(">BHHqI")
_COUNT: Final = struct.Struct(">H")
# The two usual rows in one piece: one that no stage's record is about, and one that the records of one partition are about.
_NO_ORIGIN: Final = struct.Struct(">BHqHH")
_ONE_ORIGIN: Final = struct.Struct(">BHqHBHHqIH")
# Only ever appended to: the numbers are stored.
_TOPICS: Final = (ALERT_SIGNALS, ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS, CASE_REACTIONS, CONFIG_COMMANDS)
_NUMBER: Final = {topic: n for n, topic in enumerate(_TOPICS)}

Place = tuple[str, int, int]
"""Topic, generation, partition."""


@dataclass(slots=True)
class Guard:
    """generation, offset: of the last record about this row. origins: the highest (offset, n) of each source
    partition. recent: ids of the last commands from the edge, newest last. step: which of the timers that the record, a
    tick, let fire, from 1; 0 where the record itself changed the row.

    A command made of a record of the public topic is known again by both: its origin tells that the source took the
    record twice, its id that the producer wrote the signal twice.
    """

    generation: int = 0
    offset: int = -1
    origins: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    recent: tuple[bytes, ...] = ()
    step: int = 0

    def past(self, generation: int, offset: int, step: int = 0) -> bool:
        """Whether the record at this place was folded into the row already."""
        return (generation, offset, step) <= (self.generation, self.offset, self.step)

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
        place, last = (origin.topic, origin.generation, origin.partition), (origin.offset, origin.n)
        return Guard(generation, offset, {**self.origins, place: last} if self.origins else {place: last}, recent)

    def at(self, generation: int, offset: int, step: int) -> Guard:
        """Return the guard once a timer or a fact is folded. What it was is known by other things than its id."""
        return Guard(generation, offset, self.origins, self.recent, step)

    def encode(self, state: bytes) -> bytes:
        """Return the row: this guard and the state's bytes."""
        if not (self.step or self.recent):
            if not self.origins:
                return _NO_ORIGIN.pack(_FORMAT, self.generation, self.offset, 0, 0) + state
            if len(self.origins) == 1:
                ((at, (offset, n)),) = self.origins.items()
                origin = (_NUMBER[at[0]], at[1], at[2], offset, n)
                return _ONE_ORIGIN.pack(_FORMAT, self.generation, self.offset, 1, *origin, 0) + state
        if self.step:
            parts = [_STEPPED_HEAD.pack(_STEPPED, self.generation, self.offset, self.step, len(self.origins))]
        else:
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
    """Return a row's guard and the bytes of its state, of a timer none. Raises ValueError on another format."""
    step = 0
    if row[0] == _FORMAT:
        _, generation, offset, count = _HEAD.unpack_from(row)
        at = _HEAD.size
    elif row[0] == _STEPPED:
        _, generation, offset, step, count = _STEPPED_HEAD.unpack_from(row)
        at = _STEPPED_HEAD.size
    elif row[0] == TIMER:
        generation, offset, step = version(row)
        return Guard(generation, offset, step=step), b""
    else:
        raise ValueError(f"row format {row[0]}; this reader knows {_FORMAT} to {TIMER}")
    origins: dict[Place, tuple[int, int]] = {}
    for _ in range(count):
        number, origin_generation, partition, origin_offset, n = _ORIGIN.unpack_from(row, at)
        origins[_TOPICS[number], origin_generation, partition] = (origin_offset, n)
        at += _ORIGIN.size
    (remembered,) = _COUNT.unpack_from(row, at)
    at += _COUNT.size
    recent = tuple(row[at + 16 * i : at + 16 * (i + 1)] for i in range(remembered))
    return Guard(generation, offset, origins, recent, step), row[at + 16 * remembered :]


def version(row: bytes) -> tuple[int, int, int]:
    """Return generation, offset and step of what a row was written for: of all versions of a row, the highest counts."""
    layout, generation, offset = _VERSION.unpack_from(row)
    (step,) = (0,) if layout == _FORMAT else _STEP.unpack_from(row, _VERSION.size)
    return generation, offset, step


def newer(old: bytes, new: bytes) -> bool:
    """Whether `new` is at least as new a version of a row as `old`: what recovery keeps, whatever order it reads."""
    return version(new) >= version(old)
