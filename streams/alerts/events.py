"""What happened to an alert. On the wire each carries `after`, the alert at this version. Names are the stored format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeOpened:
    """The alert fired where none was open."""

    episode: int
    starts_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRepeated:
    """The alert fired again while open."""

    starts_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeAcknowledged:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeResolved:
    """The sender says that it is over. starts_at: of the episode that it means, which may be later than the open one."""

    starts_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeEnded:
    """Its case has ended; the next trigger opens a new episode and a new case."""

    case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRenewed:
    """Its case has ended without having seen the last trigger. That one opens another case, which nobody has
    acknowledged.
    """

    case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeMissed:
    """The sender says that an episode is over which never began here: should its beginning come late, it is stale."""

    starts_at: int


AlertEvent: TypeAlias = (
    EpisodeOpened
    | EpisodeRepeated
    | EpisodeAcknowledged
    | EpisodeResolved
    | EpisodeEnded
    | EpisodeRenewed
    | EpisodeMissed
)
