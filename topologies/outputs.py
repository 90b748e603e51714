"""What a fold decided, as the records to append: events, outcomes, records for others."""

from __future__ import annotations

from typing import Any

from schemas import codec
from streams.decision import Rejected, Unchanged
from streams.envelope import Envelope, Origin
from streams.frozen import replace
from streams.outcomes import CommandRejected, CommandUnchanged
from streams.stage import Forward, Recorded
from topologies.graph import Stage
from topologies.step import Outgoing, outgoing


class Outputs:
    """The records that ONE record leads to, gathered before any of them counts. Made once a batch, begun for each record.

    largest: the size of the largest record so far.
    """

    __slots__ = (
        "broadcasts",
        "envelope",
        "first",
        "generation",
        "key",
        "largest",
        "offset",
        "parent",
        "partition",
        "partitions",
        "sends",
        "source",
        "stage",
    )

    def __init__(self, stage: Stage, partitions: int, partition: int, generation: int) -> None:
        self.stage = stage
        self.source = stage.source
        self.partitions = partitions
        self.partition = partition
        self.generation = generation

    def begin(self, offset: int, key: bytes, envelope: Envelope, parent: bytes, first: int = 0) -> None:
        """Begin with another record, and with nothing gathered. Where it stands is the origin of what is made of it.

        parent: its id, 16 bytes. first: the number of the first of its records for others.
        """
        self.offset = offset
        self.key = key
        self.envelope = envelope
        self.parent = parent
        self.first = first
        self.broadcasts: list[Outgoing] = []
        self.sends: list[Outgoing] = []
        self.largest = 0

    def event(self, n: int, event: Recorded, after: bytes, *, last: bool) -> None:
        """Add the n-th event. after: the state as `codec.encode_row` gave it."""
        stage = self.stage
        if stage.events is None:
            raise ValueError(f"stage {stage.name} has no topic for events")
        value = codec.encode_event(
            self.envelope,
            self.parent,
            n,
            event.aggregate_id,
            event.body,
            after[codec.HEADER_SIZE :],
            version=event.version,
            source=self.source,
            last=last,
        )
        self._send(stage.events, self.partition, self.key, value)
        if stage.copies is not None:
            self.sends.append(outgoing(stage.copies, self.partition, self.key, value))

    def answer(self, answer: Rejected | Unchanged, body: Any) -> None:
        """Add the outcome of a command that ends here without an event. What only reacts answers nobody."""
        if self.stage.events is None:
            return
        name = codec.name_of(body)
        outcome: CommandRejected | CommandUnchanged
        if isinstance(answer, Unchanged):
            outcome = CommandUnchanged(command=name)
        else:
            outcome = CommandRejected(command=name, code=answer.code, detail=answer.detail, field=answer.field)
        envelope = self.envelope
        value = codec.encode_event(
            envelope, self.parent, 0, envelope.aggregate_id, outcome, version=None, source=self.source, last=True
        )
        self._send(self.stage.events, self.partition, self.key, value)

    def forward(self, n: int, forward: Forward) -> None:
        """Add the n-th record for others."""
        stage = self.stage
        origin = Origin(
            topic=stage.reads,
            generation=self.generation,
            partition=self.partition,
            offset=self.offset,
            n=self.first + n,
        )
        envelope = self.envelope
        if forward.actor is not None:
            envelope = replace(envelope, actor=forward.actor, grant=None)
        value = codec.encode_command(
            envelope,
            self.parent,
            n,
            forward.body,
            aggregate_id=forward.aggregate_id,
            stage=stage.name,
            origin=origin,
            asks=forward.asks,
        )
        key = forward.key.encode()
        if forward.broadcast:
            self.largest = max(self.largest, len(key) + len(value))
            self.broadcasts += [outgoing(forward.topic, p, key, value) for p in range(self.partitions)]
        else:
            self._send(forward.topic, None, key, value)

    def _send(self, topic: str, partition: int | None, key: bytes, value: bytes) -> None:
        size = len(key) + len(value)
        self.largest = max(self.largest, size)
        self.sends.append(outgoing(topic, partition, key, value))
