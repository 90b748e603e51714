"""The first field of every record: who, when, caused by what."""

from __future__ import annotations

from dataclasses import dataclass

from streams.frozen import quick
from streams.ids import derive

MAX_DEPTH = 8


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the record stood that a stage made this command of. Higher positions of one partition are newer."""

    topic: str
    generation: int
    partition: int
    offset: int
    n: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Facts about a record that every reader understands, whatever the record says.

    id: of the command or the event, a UUID in text form. version: of the aggregate after an event, +1 each;
    None on commands, rejections and unchanged. correlation_id: the id of the command or signal that came in at
    the edge. causation_id: the id of the record that directly led to this one. depth: how many stages deep.
    source: who made the record ("api", "pagerduty", "stage.intake"). origin: only on commands made by stages.
    actor: "user:ID", "key:ID", "integration:NAME" or "system:NAME"; never a person's name. grant: the permission
    under which the edge let it in. occurred_at, recorded_at: microseconds since 1970, UTC. expected_version:
    refuse unless the aggregate is at it. reply_by: until when a caller waits; its presence asks for an outcome.
    last: the last record that its command leaves, with which the outcome is known.
    """

    tenant_id: str
    aggregate_id: str
    id: str
    version: int | None = None
    correlation_id: str
    causation_id: str | None = None
    depth: int = 0
    source: str
    origin: Origin | None = None
    actor: str
    grant: str | None = None
    occurred_at: int
    recorded_at: int
    expected_version: int | None = None
    reply_by: int | None = None
    traceparent: str | None = None
    key_id: str | None = None
    last: bool = True

    def event(self, n: int, aggregate_id: str, *, version: int | None, source: str, last: bool) -> Envelope:
        """Return the envelope of the n-th record that this command leaves on its stage's events topic."""
        return Envelope(
            tenant_id=self.tenant_id,
            aggregate_id=aggregate_id,
            id=derive(self.id, n),
            version=version,
            correlation_id=self.correlation_id,
            causation_id=self.id,
            depth=self.depth,
            source=source,
            actor=self.actor,
            grant=self.grant,
            occurred_at=self.occurred_at,
            recorded_at=self.recorded_at,
            reply_by=self.reply_by,
            traceparent=self.traceparent,
            key_id=self.key_id,
            last=last,
        )

    def command(self, n: int, *, aggregate_id: str, stage: str, origin: Origin, asks: bool) -> Envelope:
        """Return the envelope of the n-th command that `stage` makes of this one.

        `asks`: whether the outcome of the new command answers the caller of this one.
        """
        return Envelope(
            tenant_id=self.tenant_id,
            aggregate_id=aggregate_id,
            id=derive(self.id, stage, n),
            correlation_id=self.correlation_id,
            causation_id=self.id,
            depth=self.depth + 1,
            source=f"stage.{stage}",
            origin=origin,
            actor=self.actor,
            grant=self.grant,
            occurred_at=self.occurred_at,
            recorded_at=self.recorded_at,
            reply_by=self.reply_by if asks else None,
            traceparent=self.traceparent,
            key_id=self.key_id,
        )
