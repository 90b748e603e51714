"""What an alert is after its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from streams.alerts.alert import Alert
from streams.alerts.events import (
    AlertEvent,
    EpisodeAcknowledged,
    EpisodeEnded,
    EpisodeMissed,
    EpisodeOpened,
    EpisodeRenewed,
    EpisodeRepeated,
    EpisodeResolved,
)
from streams.cases.case import AlertStatus
from streams.envelope import Envelope
from streams.frozen import replace


def fold(alert: Alert | None, events: Iterable[AlertEvent], by: Envelope, project_key: str = "") -> Alert | None:
    """Return `alert` after `events`. `project_key`: of the signal that opens an episode."""
    for event in events:
        alert = _evolve(alert, event, by, project_key)
    return alert


def _evolve(alert: Alert | None, event: AlertEvent, by: Envelope, project_key: str) -> Alert:
    at = by.occurred_at
    if isinstance(event, EpisodeOpened):
        version = 1 if alert is None else alert.version + 1
        return Alert(
            alert_id=by.aggregate_id,
            version=version,
            project_key=project_key,
            status=AlertStatus.TRIGGERED,
            episode=event.episode,
            triggers=1,
            trigger_seq=version,
            starts_at=event.starts_at,
            resolved_starts_at=None if alert is None else alert.resolved_starts_at,
            opened_at=at,
            changed_at=at,
        )
    if isinstance(event, EpisodeMissed) and alert is None:
        return Alert(
            alert_id=by.aggregate_id,
            version=1,
            project_key=project_key,
            status=AlertStatus.RESOLVED,
            episode=0,
            triggers=0,
            trigger_seq=0,
            resolved_starts_at=event.starts_at,
            opened_at=at,
            changed_at=at,
        )
    if alert is None:
        raise ValueError(f"{type(event).__name__} of an alert that was never open")
    version = alert.version + 1
    match event:
        case EpisodeRepeated(starts_at=starts_at):
            return replace(
                alert,
                version=version,
                triggers=alert.triggers + 1,
                trigger_seq=version,
                starts_at=starts_at if starts_at is not None else alert.starts_at,
                changed_at=at,
            )
        case EpisodeAcknowledged():
            return replace(alert, version=version, status=AlertStatus.ACKNOWLEDGED, changed_at=at)
        case EpisodeResolved(starts_at=starts_at):
            ends = [s for s in (starts_at, alert.starts_at, alert.resolved_starts_at) if s is not None]
            resolved = max(ends, default=None)
            return replace(
                alert, version=version, status=AlertStatus.RESOLVED, resolved_starts_at=resolved, changed_at=at
            )
        case EpisodeMissed(starts_at=starts_at):
            return replace(alert, version=version, resolved_starts_at=starts_at, changed_at=at)
        case EpisodeRenewed():
            return replace(alert, version=version, status=AlertStatus.TRIGGERED, changed_at=at)
        case EpisodeEnded():
            return replace(alert, version=version, status=AlertStatus.RESOLVED, changed_at=at)
        case _:
            assert_never(event)
