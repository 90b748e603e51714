"""The state of an alert. These fields are the stored format: change them with care."""

from __future__ import annotations

from dataclasses import dataclass

from streams.cases.case import AlertStatus
from streams.frozen import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert over all its episodes; one that was never open has no row.

    status: RESOLVED between episodes. episode: counts from 1; 0 where only the end of one was heard of. triggers: of
    this episode. trigger_seq: the version of the last trigger that was sent on. starts_at: of the episode, by the
    sender's clock, where it says so. resolved_starts_at: the latest `starts_at` of an episode that the sender said is
    over; nothing at or before it opens another.
    """

    alert_id: str
    version: int
    project_key: str
    status: AlertStatus
    episode: int
    triggers: int
    trigger_seq: int
    starts_at: int | None = None
    resolved_starts_at: int | None = None
    opened_at: int
    changed_at: int

    @property
    def open(self) -> bool:
        return self.status is not AlertStatus.RESOLVED
