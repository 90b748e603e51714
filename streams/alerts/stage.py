"""Stage `alerts`: deduplicates and suppresses signals, sends on to intake what changes something."""

from __future__ import annotations

from typing import Any

from streams.alerts.alert import Alert
from streams.alerts.commands import AlertEnded, RecordSignal
from streams.alerts.decide import ALREADY_ACKNOWLEDGED, NO_OPEN_ALERT, STALE_EPISODE, decide, facts, suppressing
from streams.alerts.fold import fold
from streams.config.changes import RulesChanged
from streams.config.rule import Rules
from streams.decision import Accepted, Rejected
from streams.envelope import Envelope
from streams.ids import aggregate_key
from streams.intake.commands import RouteSignal
from streams.outcomes import Receipt, SignalSettled
from streams.stage import Forward, Handled, Recorded, Rows
from streams.topics import ALERT_EVENTS, CASE_INTAKE

_RECEIPTS = {
    NO_OPEN_ALERT: Receipt.DROPPED,
    STALE_EPISODE: Receipt.DEDUPLICATED,
    ALREADY_ACKNOWLEDGED: Receipt.DEDUPLICATED,
}


class AlertsStage:
    """Rows: `tenant/H/dedup_key` an alert; `tenant|rules/PROJECT` the rules of a project."""

    def main_key(self, key: str, envelope: Envelope, body: Any) -> str:
        if isinstance(body, RulesChanged):
            return body.row_key(envelope.tenant_id)
        return key

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        match body:
            case RulesChanged():
                return Handled(row=body.rules)
            case RecordSignal():
                return self._signal(key, envelope, body, rows)
            case AlertEnded():
                return self._step(envelope, body, rows.get(key, Alert))
            case _:
                raise TypeError(f"stage alerts does not take {type(body).__name__}")

    def _signal(self, key: str, envelope: Envelope, signal: RecordSignal, rows: Rows) -> Handled:
        rules = rows.get(RulesChanged.key_of(envelope.tenant_id, signal.project_key), Rules)
        rule = suppressing(signal, rules)
        if rule is not None:
            return Handled(forwards=(settle(envelope, Receipt.SUPPRESSED, f"rule:{rule.rule_id}"),))
        handled = self._step(envelope, signal, rows.get(key, Alert))
        match handled.answer:
            case Rejected(code=code):
                return Handled(forwards=(settle(envelope, _RECEIPTS[code], code),))
            case _:
                pass
        routed = Forward(
            topic=CASE_INTAKE,
            key=aggregate_key(envelope.tenant_id, signal.project_key),
            aggregate_id=signal.project_key,
            body=RouteSignal(
                action=signal.action,
                alert_id=envelope.aggregate_id,
                seq=handled.row.version,
                signal_id=envelope.id,
                project_id=signal.project_id,
                summary=signal.summary,
                description=signal.description,
                priority=signal.priority,
                facts=facts(signal),
                details=signal.details,
            ),
        )
        return Handled(events=handled.events, row=handled.row, forwards=(routed,))

    def _step(self, envelope: Envelope, command: RecordSignal | AlertEnded, alert: Alert | None) -> Handled:
        decision = decide(command, alert)
        if not isinstance(decision, Accepted):
            return Handled(answer=decision)
        (event,) = decision.events
        project_key = command.project_key if isinstance(command, RecordSignal) else ""
        after = fold(alert, (event,), envelope, project_key)
        assert after is not None
        recorded = Recorded(body=event, after=after, version=after.version, aggregate_id=after.alert_id)
        return Handled(events=(recorded,), row=after)


def settle(
    envelope: Envelope,
    receipt: Receipt,
    reason: str = "",
    *,
    signal_id: str | None = None,
    alert_id: str | None = None,
    case_id: str | None = None,
) -> Forward:
    """Return the final receipt of a signal, for the alert's events topic.

    Of `envelope`'s own signal unless `signal_id` and `alert_id` name another.
    """
    about = alert_id if alert_id is not None else envelope.aggregate_id
    body = SignalSettled(signal_id=signal_id or envelope.id, receipt=receipt, reason=reason, case_id=case_id)
    return Forward(topic=ALERT_EVENTS, key=aggregate_key(envelope.tenant_id, about), aggregate_id=about, body=body)
