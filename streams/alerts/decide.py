"""What an alert makes of a signal: PagerDuty Events v2 semantics, and episodes by `starts_at` where senders have it.

Sources of the rules: PagerDuty, "Events API v2 overview"; Prometheus Alertmanager, "webhook_config".
"""

from __future__ import annotations

from typing import assert_never

from streams.alerts.alert import Alert
from streams.alerts.commands import AlertCommand, AlertEnded, RecordSignal
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
from streams.cases.commands import Action
from streams.config.rule import Rule, Rules
from streams.decision import UNCHANGED, Decision, accept, reject

NO_OPEN_ALERT = "no_open_alert"
STALE_EPISODE = "stale_episode"
ALREADY_ACKNOWLEDGED = "already_acknowledged"


def decide(command: AlertCommand, alert: Alert | None) -> Decision[AlertEvent]:
    """Decide `command` on `alert`. A rejection's code is the reason on the signal's receipt."""
    if isinstance(command, AlertEnded):
        if alert is None or not alert.open:
            return UNCHANGED
        if alert.trigger_seq <= command.seq:
            return accept(EpisodeEnded(case_id=command.case_id))
        # A trigger that the case had not seen is on its way and opens a new case: the alert stays open. Whoever
        # acknowledged it did so there; if that was for the new case, he is asked once too often rather than not at all.
        if alert.status is AlertStatus.TRIGGERED:
            return UNCHANGED
        return accept(EpisodeRenewed(case_id=command.case_id))
    match command.action:
        case Action.TRIGGER:
            return _trigger(command, alert)
        case Action.ACKNOWLEDGE:
            if alert is None or not alert.open:
                return reject(NO_OPEN_ALERT, "there is no open alert to acknowledge")
            if alert.status is AlertStatus.ACKNOWLEDGED:
                return reject(ALREADY_ACKNOWLEDGED, "the alert is acknowledged already")
            return accept(EpisodeAcknowledged())
        case Action.RESOLVE:
            if alert is None or not alert.open:
                return _missed(command, alert)
            if command.starts_at is not None and alert.starts_at is not None and command.starts_at < alert.starts_at:
                return reject(STALE_EPISODE, "this resolves an episode that is over; a later one is open")
            return accept(EpisodeResolved(starts_at=command.starts_at))
        case _:
            assert_never(command.action)


def _missed(signal: RecordSignal, alert: Alert | None) -> Decision[AlertEvent]:
    """A resolve where nothing is open. Senders in HA are not in step: it may come before the trigger that it ends."""
    starts_at = signal.starts_at
    known = None if alert is None else alert.resolved_starts_at
    if starts_at is not None and (known is None or starts_at > known):
        return accept(EpisodeMissed(starts_at=starts_at))
    return reject(NO_OPEN_ALERT, "there is no open alert to resolve")


def _trigger(signal: RecordSignal, alert: Alert | None) -> Decision[AlertEvent]:
    starts_at = signal.starts_at
    if alert is None:
        return accept(EpisodeOpened(episode=1, starts_at=starts_at))
    ended = alert.resolved_starts_at
    if starts_at is not None and ended is not None and starts_at <= ended:
        return reject(STALE_EPISODE, "this episode was resolved already")
    if not alert.open:
        return accept(EpisodeOpened(episode=alert.episode + 1, starts_at=starts_at))
    if starts_at is not None and alert.starts_at is not None and starts_at < alert.starts_at:
        return reject(STALE_EPISODE, "a later episode is open")
    return accept(EpisodeRepeated(starts_at=starts_at))


def suppressing(signal: RecordSignal, rules: Rules | None) -> Rule | None:
    """Return the first rule that suppresses this trigger, None if there is none. Only triggers are suppressed."""
    if rules is None or signal.action is not Action.TRIGGER:
        return None
    return rules.suppressing(facts(signal))


def facts(signal: RecordSignal) -> dict[str, str]:
    """Return what rules can speak of: summary, priority, dedup_key and every label."""
    return {
        **signal.labels,
        "summary": signal.summary.text,
        "priority": signal.priority.value,
        "dedup_key": signal.dedup_key,
    }
