"""Stage `cases`: decides and folds, and tells intake and the alerts when a case has ended."""

from __future__ import annotations

from typing import Any

from streams.alerts.commands import AlertEnded
from streams.cases.case import AlertStatus, Case, Comment
from streams.cases.commands import Action, AddComment, ApplySignal, DeleteComment, EditComment, OpenCase
from streams.cases.decide import CHAIN_TOO_DEEP, decide
from streams.cases.events import CommentAdded, CommentDeleted
from streams.cases.fold import fold
from streams.decision import Accepted, Rejected, Unchanged
from streams.envelope import Envelope
from streams.ids import aggregate_key, derive
from streams.intake.commands import CaseEnded, EndedAlert, ReturnSignal
from streams.outcomes import Receipt
from streams.receipts import settle
from streams.stage import Carried, Forward, Handled, Recorded, Rows
from streams.topics import ALERT_COMMANDS, CASE_INTAKE

ALREADY_SO = "already_so"
_OF_A_COMMENT = (EditComment, DeleteComment)


class CasesStage:
    """Rows: `tenant/case` the case; `tenant/case|comment/ID` what must be known of a comment."""

    def main_key(self, key: str, _envelope: Envelope, _body: Any) -> str:
        return key

    def carried(self, _envelope: Envelope, body: Any) -> Carried | None:
        if isinstance(body, ApplySignal):
            return Carried(signal_id=body.signal_id, alert_id=body.alert_id)
        if isinstance(body, OpenCase) and body.signal_id is not None and body.alert_id is not None:
            return Carried(signal_id=body.signal_id, alert_id=body.alert_id)
        return None

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        case = rows.get(key, Case)
        comment_row = self._comment_row(key, envelope, body)
        comment = rows.get(comment_row, Comment) if comment_row is not None else None
        decision = decide(body, case, comment, envelope)
        if not isinstance(decision, Accepted):
            if isinstance(body, ApplySignal):
                return Handled(forwards=(self._unmoved(envelope, body, case, decision),))
            return Handled(answer=decision)
        recorded = []
        after = case
        changed: dict[str, Any] = {}
        for event in decision.events:
            after = fold(after, (event,), envelope)
            assert after is not None
            recorded.append(Recorded(body=event, after=after, version=after.version, aggregate_id=after.case_id))
            if isinstance(event, CommentAdded):
                named = event.comment_id
                changed[f"{key}|comment/{named}"] = Comment(comment_id=named, author=envelope.actor)
            elif isinstance(event, CommentDeleted):
                named, author = event.comment_id, comment.author if comment is not None else envelope.actor
                changed[f"{key}|comment/{named}"] = Comment(comment_id=named, author=author, deleted=True)
        assert after is not None
        forwards = (*self._receipt(envelope, body, after), *self._endings(envelope, case, after))
        return Handled(events=tuple(recorded), row=after, rows=changed, forwards=forwards)

    def _comment_row(self, key: str, envelope: Envelope, body: Any) -> str | None:
        # Asked of every record: a pattern takes several times as long.
        if isinstance(body, AddComment):
            return f"{key}|comment/{derive(envelope.id, 'comment')}"
        if isinstance(body, _OF_A_COMMENT):
            return f"{key}|comment/{body.comment_id}"
        return None

    def _receipt(self, envelope: Envelope, body: Any, after: Case) -> tuple[Forward, ...]:
        carried = self.carried(envelope, body)
        if carried is None:
            return ()
        receipt = Receipt.FOLDED
        if isinstance(body, ApplySignal) and body.action is Action.TRIGGER:
            seen = after.alert(body.alert_id)
            if seen is not None and seen.triggers > 1:
                receipt = Receipt.DEDUPLICATED
        return (settle(envelope.tenant_id, carried, receipt, case_id=after.case_id),)

    def _unmoved(
        self, envelope: Envelope, signal: ApplySignal, case: Case | None, decision: Rejected | Unchanged
    ) -> Forward:
        """A signal that changes nothing here. One that meets a case which has ended, which its alert has left, or which
        nobody opened goes back to intake: a trigger opens another, never dropped.
        """
        carried = Carried(signal_id=signal.signal_id, alert_id=signal.alert_id)
        if isinstance(decision, Rejected) and decision.code == CHAIN_TOO_DEEP:
            return settle(envelope.tenant_id, carried, Receipt.REJECTED, CHAIN_TOO_DEEP, case_id=envelope.aggregate_id)
        if case is not None and not case.ended and not signal.moved:
            return settle(envelope.tenant_id, carried, Receipt.DEDUPLICATED, ALREADY_SO, case_id=case.case_id)
        returned = ReturnSignal(
            ended_case_id=envelope.aggregate_id,
            action=signal.action,
            alert_id=signal.alert_id,
            seq=signal.seq,
            signal_id=signal.signal_id,
            title=signal.title,
            description=signal.description,
            priority=signal.priority,
            attributes=signal.attributes,
            group_key=signal.group_key,
        )
        return Forward(
            topic=CASE_INTAKE,
            key=aggregate_key(envelope.tenant_id, signal.project_key),
            aggregate_id=signal.project_key,
            body=returned,
        )

    def _endings(self, envelope: Envelope, before: Case | None, after: Case) -> tuple[Forward, ...]:
        if not after.ended or (before is not None and before.ended):
            return ()
        tenant = envelope.tenant_id
        ended = CaseEnded(
            case_id=after.case_id,
            alerts=tuple(EndedAlert(alert_id=a.alert_id, seq=a.seq) for a in after.alerts),
            group_key=after.group_key,
        )
        return (
            Forward(
                topic=CASE_INTAKE,
                key=aggregate_key(tenant, after.project_key),
                aggregate_id=after.project_key,
                body=ended,
            ),
            *(
                Forward(
                    topic=ALERT_COMMANDS,
                    key=aggregate_key(tenant, alert.alert_id),
                    aggregate_id=alert.alert_id,
                    body=AlertEnded(case_id=after.case_id, seq=alert.seq),
                )
                for alert in after.alerts
                # Of a resolved one stage `alerts` knows better.
                if alert.status is not AlertStatus.RESOLVED
            ),
        )
