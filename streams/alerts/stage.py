"""Stage `alerts`: deduplicates and suppresses signals, sends on to intake what changes something."""

from __future__ import annotations

from typing import Any

from streams.alerts.alert import Alert
from streams.alerts.commands import AlertEnded, RecordSignal
from streams.alerts.decide import ALREADY_ACKNOWLEDGED, NO_OPEN_ALERT, STALE_EPISODE, decide, facts, suppressing
from streams.alerts.events import EpisodeMissed
from streams.alerts.fold import fold
from streams.config.changes import RulesChanged
from streams.config.rule import Rules
from streams.decision import Accepted, Rejected
from streams.envelope import Envelope
from streams.frozen import replace
from streams.ids import aggregate_key
from streams.intake.commands import RouteSignal
from streams.outcomes import Receipt
from streams.receipts import settle
from streams.stage import Carried, Forward, Handled, Recorded, Rows
from streams.topics import CASE_INTAKE

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

    def carried(self, envelope: Envelope, body: Any) -> Carried | None:
        return _carried(envelope) if isinstance(body, RecordSignal) else None

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        match body:
            case RecordSignal():
                return self._signal(key, envelope, body, rows)
            case AlertEnded():
                return self._step(envelope, body, rows.get(key, Alert))
            case RulesChanged():
                return Handled(row=body.rules)
            case _:
                raise TypeError(f"stage alerts does not take {type(body).__name__}")

    def _signal(self, key: str, envelope: Envelope, signal: RecordSignal, rows: Rows) -> Handled:
        rules = rows.get(RulesChanged.key_of(envelope.tenant_id, signal.project_key), Rules)
        rule = suppressing(signal, rules)
        if rule is not None:
            suppressed = settle(envelope.tenant_id, _carried(envelope), Receipt.SUPPRESSED, f"rule:{rule.rule_id}")
            return Handled(forwards=(suppressed,))
        handled = self._step(envelope, signal, rows.get(key, Alert))
        if isinstance(handled.answer, Rejected):
            code = handled.answer.code
            return Handled(forwards=(settle(envelope.tenant_id, _carried(envelope), _RECEIPTS[code], code),))
        if isinstance(handled.events[0].body, EpisodeMissed):
            # To be remembered; there is nothing to tell anybody.
            dropped = settle(envelope.tenant_id, _carried(envelope), Receipt.DROPPED, NO_OPEN_ALERT)
            return replace(handled, forwards=(dropped,))
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
        return replace(handled, forwards=(routed,))

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


def _carried(envelope: Envelope) -> Carried:
    return Carried(signal_id=envelope.id, alert_id=envelope.aggregate_id)
