"""What a fold decided, as the records to append: events, outcomes, records for others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas import codec
from streams.decision import Rejected, Unchanged
from streams.envelope import Envelope, Origin
from streams.outcomes import CommandRejected, CommandUnchanged
from streams.stage import Forward, Recorded
from topologies.graph import Stage
from topologies.step import Outgoing


@dataclass(slots=True)
class Outputs:
    """The records that ONE record leads to, gathered before any of them counts.

    origin: where that record stands; the n-th command made of it has this place and n.
    """

    stage: Stage
    partitions: int
    partition: int
    generation: int
    offset: int
    key: bytes
    envelope: Envelope
    broadcasts: list[Outgoing] = field(default_factory=list)
    sends: list[Outgoing] = field(default_factory=list)

    def event(self, n: int, event: Recorded, after: bytes, *, last: bool) -> None:
        """Add the n-th event. after: the state as `codec.encode_row` gave it."""
        stage = self.stage
        envelope = self.envelope.event(n, event.aggregate_id, version=event.version, source=stage.source, last=last)
        value = codec.encode(envelope, event.body, after[codec.HEADER_SIZE :])
        self.sends.append(Outgoing(stage.events, self.partition, self.key, value))
        if stage.copies is not None:
            self.sends.append(Outgoing(stage.copies, self.partition, self.key, value))

    def answer(self, answer: Rejected | Unchanged, body: Any) -> None:
        """Add the outcome of a command that ends here without an event."""
        envelope = self.envelope
        said = envelope.event(0, envelope.aggregate_id, version=None, source=self.stage.source, last=True)
        name = codec.name_of(body)
        outcome: CommandRejected | CommandUnchanged
        if isinstance(answer, Unchanged):
            outcome = CommandUnchanged(command=name)
        else:
            outcome = CommandRejected(command=name, code=answer.code, detail=answer.detail, field=answer.field)
        self.sends.append(Outgoing(self.stage.events, self.partition, self.key, codec.encode(said, outcome)))

    def forward(self, n: int, forward: Forward) -> None:
        """Add the n-th record for others."""
        stage = self.stage
        origin = Origin(
            topic=stage.reads, generation=self.generation, partition=self.partition, offset=self.offset, n=n
        )
        made = self.envelope.command(
            n, aggregate_id=forward.aggregate_id, stage=stage.name, origin=origin, asks=forward.asks
        )
        value = codec.encode(made, forward.body)
        key = forward.key.encode()
        if forward.broadcast:
            self.broadcasts += [Outgoing(forward.topic, p, key, value) for p in range(self.partitions)]
        else:
            self.sends.append(Outgoing(forward.topic, None, key, value))

    @property
    def largest(self) -> int:
        """The size of the largest record, 0 where there is none."""
        records = (*self.broadcasts, *self.sends)
        return max((len(r.key or b"") + len(r.value or b"") for r in records), default=0)
