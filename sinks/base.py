"""What the loop hands to a sink, and the ports of sinks. How a system is written to stands in the sink's own folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

LOG_START: Final = -2
"""A position: wherever the log begins. Of a store that keeps positions and has none of this partition."""


class Raw(NamedTuple):
    """A record as Kafka has it. timestamp: milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


@dataclass(slots=True)
class Entry(Generic[T]):
    """A record with what the sink's `decode` made of it; `item` None: a dead letter by now, only its offset counts."""

    raw: Raw
    item: T | None


class Refused(Exception):  # noqa: N818 - the families of errors end in no suffix
    """The store will never take these entries of the batch: the loop makes dead letters of them and applies the rest
    again. Nothing of the batch is presumed to be applied.
    """

    def __init__(self, refused: Sequence[tuple[Entry[T], str]]) -> None:
        super().__init__(f"{len(refused)} records are refused for good, first: {refused[0][1] if refused else ''}")
        self.refused = refused


class Fenced(Exception):  # noqa: N818
    """The stored position is not the one that this batch begins at: somebody else has moved it. Nothing was applied."""


class ProjectionSink(Protocol[T]):
    """Turns records into rows or documents. It may be fed any record again, and stays as it was.

    All calls come from the loop's one thread. `Transient` from any but `decode` means that the store is away: the
    loop backs off and asks again. Anything else that is not named here ends the process.
    """

    def decode(self, raw: Raw) -> T:
        """Return what `apply` needs of a record. Pure. Raises PoisonMessage, `schemas.codec.Undecodable`, and
        `schemas.codec.UnknownSchema` where only the schema id is foreign.
        """
        ...

    def assigned(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        """Return the next offset that the store wants of each partition, LOG_START where it has nothing of it.

        None: the store keeps no positions, Kafka's committed offset counts, or the log's start.
        """
        ...

    def apply(self, batch: Sequence[Entry[T]]) -> None:
        """Apply a batch and the position after it, durably. Each partition's entries are adjacent and in order.

        Raises Refused and Fenced, with nothing applied that would hurt when applied again.
        """
        ...

    def idle(self) -> None:
        """Do what is due by time. Called about once a second, never inside a batch."""
        ...

    def close(self) -> None: ...


class EffectSink(ProjectionSink[T], Protocol[T]):
    """Touches the world outside. Keeps a ledger of its own, and a replay fires nothing.

    not_before: milliseconds since 1970; the loop passes records written before it as already dealt with.
    """

    not_before: int
