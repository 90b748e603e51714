"""What one batch of one partition comes to: records to send and rows to write. No engine is known here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol


class Record(NamedTuple):
    """One record of a log, as bytes. `offset` is its place in its partition."""

    offset: int
    key: bytes | None
    value: bytes | None


class Outgoing(NamedTuple):
    """One record to append. `partition` None means: by murmur2 of the key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


_tuple = tuple.__new__


def outgoing(topic: str, partition: int | None, key: bytes | None, value: bytes | None) -> Outgoing:
    """Return a record without headers. A fold makes several of each command, and a named tuple's own constructor is slow."""
    return _tuple(Outgoing, (topic, partition, key, value, ()))


# The rows that one command changes. A value of None removes the row. They recover together or not at all.
RowGroup = tuple[tuple[bytes, bytes | None], ...]

ROWS_LIMIT: Final = 896 * 1024
"""Bytes of the rows that one command may change: they go into one record batch of the changelog, which the broker limits
to 1 MiB. What is left between is for guards, which grow a little with whatever is said to a row.
"""

_RECORD_OVERHEAD: Final = 32


def size_of(group: RowGroup) -> int:
    """Return an upper bound of what these rows take in a record batch."""
    size = 0
    for key, row in group:
        size += len(key) + len(row or b"") + _RECORD_OVERHEAD
    return size


@dataclass(slots=True)
class Step:
    """The effects of a batch, in the order in which they must be acked.

    1. `broadcasts`, 2. `sends`, 3. `rows` (the changelog), 4. the offsets. Nothing of a later part may be
    durable before all of the earlier part is. fired: when each timer that fired was to be, in milliseconds since 1970. left: how
    many of the batch's last records are not in it: they are folded once this is durable.
    """

    broadcasts: list[Outgoing] = field(default_factory=list)
    sends: list[Outgoing] = field(default_factory=list)
    rows: list[RowGroup] = field(default_factory=list)
    folded: int = 0
    skipped: int = 0
    dead: int = 0
    fired: list[int] = field(default_factory=list)
    left: int = 0


class RowReader(Protocol):
    """Rows of ONE partition of a stage's table, as encoded bytes."""

    def get(self, key: bytes, /) -> bytes | None: ...

    def due(self, upto: int, /) -> Iterable[tuple[int, bytes]]:
        """Return (due, key) of the timers that are pending in these rows and due at `upto`, in that order."""


class Fold(Protocol):
    """A stage made executable: a pure function of a batch and the rows of its partition.

    Never raises for the content of a record: what cannot be decoded or folded becomes a dead letter in `sends`.
    An exception is a bug and must end the process with nothing of the batch committed. Some of the records may be left
    (`Step.left`); at least one is folded.
    """

    @property
    def name(self) -> str: ...

    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step: ...
