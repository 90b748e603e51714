"""Stage `intake`: groups, validates, routes the type and allocates KEY-n, for all that may open a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.alerts.decide import NO_OPEN_ALERT
from streams.cases import limits
from streams.cases.case import STANDARD_TYPE
from streams.cases.commands import Action, ApplySignal, OpenCase
from streams.config.changes import ProjectChanged, RulesChanged
from streams.config.project import Project
from streams.config.rule import Rule, Rules
from streams.envelope import MAX_DEPTH, Envelope
from streams.frozen import replace
from streams.ids import aggregate_key, derive
from streams.intake.commands import CaseEnded, CreateCase, ReturnSignal, RouteSignal
from streams.intake.decide import Open, place, refuse
from streams.intake.project_intake import Attachment, Counter, Group
from streams.intake.way import Join, attach, onward
from streams.outcomes import Receipt
from streams.receipts import settle
from streams.stage import Carried, Forward, Handled, Rows
from streams.text import DESCRIPTION_LIMIT, TITLE_LIMIT, Sealed, sanitize, shorten
from streams.topics import CASE_COMMANDS

STAGE = "intake"
PROJECT_NOT_FOUND = "project_not_found"
_CONFIGURATION = (RulesChanged, ProjectChanged)
_SIGNALS = (RouteSignal, ReturnSignal)


class IntakeStage:
    """Rows: `tenant/KEY` the counter; `tenant/KEY|alert/ID` where an open alert belongs; `tenant/KEY|group/NAME` the
    case that a group's alerts join; `tenant|project/KEY` and `tenant|rules/KEY` configuration.
    """

    def main_key(self, key: str, envelope: Envelope, body: Any) -> str:
        if isinstance(body, _CONFIGURATION):
            return body.row_key(envelope.tenant_id)
        return key

    def carried(self, _envelope: Envelope, body: Any) -> Carried | None:
        return _carried(body) if isinstance(body, _SIGNALS) else None

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        match body:
            case RouteSignal() if body.action is Action.TRIGGER:
                return self._trigger(key, envelope, body, rows)
            case RouteSignal():
                return self._follow(key, envelope, body, rows)
            case CreateCase():
                return self._create(key, envelope, body, rows)
            case ProjectChanged():
                return Handled(row=body.project)
            case RulesChanged():
                return Handled(row=body.rules)
            case ReturnSignal():
                return self._returned(key, envelope, body, rows)
            case CaseEnded():
                return self._ended(key, body, rows)
            case _:
                raise TypeError(f"stage intake does not take {type(body).__name__}")

    def _create(self, key: str, envelope: Envelope, command: CreateCase, rows: Rows) -> Handled:
        command = replace(
            command,
            title=_clean(command.title, multiline=False),
            description=_clean(command.description, multiline=True),
        )
        refused = refuse(command, self._project(key, envelope, rows))
        if refused is not None:
            return Handled(answer=refused)
        opening = self._opening(key, envelope, rows, command.project_id)
        opened = replace(
            opening.body,
            type_id=command.type_id,
            title=command.title,
            description=command.description,
            status=command.status,
            priority=command.priority,
            assignee_id=command.assignee_id,
            attributes=command.attributes,
        )
        return Handled(row=Counter(last_number=opened.number), forwards=(replace(opening, body=opened, asks=True),))

    def _trigger(self, key: str, envelope: Envelope, signal: RouteSignal, rows: Rows) -> Handled:
        project = self._project(key, envelope, rows)
        if project is not None and (project.deleted_at is not None or project.project_id != signal.project_id):
            # A new project may have the old one's key; an alert goes where its routing key was bound to, or nowhere.
            project = None
        rules = rows.get(RulesChanged.key_of(envelope.tenant_id, _project_key(key)), Rules)
        rule = rules.grouping(signal.facts) if rules is not None else None
        summary = sanitize(signal.summary.text, multiline=False)
        if not summary:
            summary = sanitize(signal.facts.get("dedup_key", ""), multiline=False) or "Alert"
        description = _clean(signal.description if signal.description.content else signal.details, multiline=True)
        if not description.content and len(summary) > TITLE_LIMIT:
            description = Sealed.plain(summary)
        apply = ApplySignal(
            action=signal.action,
            alert_id=signal.alert_id,
            seq=signal.seq,
            signal_id=signal.signal_id,
            title=Sealed.plain(shorten(summary, TITLE_LIMIT)),
            description=_short(description, DESCRIPTION_LIMIT),
            priority=signal.priority,
            attributes=_attributes(signal.facts),
            project_key=_project_key(key),
            group_key=rule.group_key(signal.facts) if rule is not None else None,
        )
        return self._place(key, envelope, rows, project=project, rule=rule, ended=None, signal=apply)

    def _returned(self, key: str, envelope: Envelope, signal: ReturnSignal, rows: Rows) -> Handled:
        """Send a signal that met an ended case where its alert belongs by now; a trigger opens a case if need be."""
        apply = ApplySignal(
            action=signal.action,
            alert_id=signal.alert_id,
            seq=signal.seq,
            signal_id=signal.signal_id,
            title=signal.title,
            description=signal.description,
            priority=signal.priority,
            attributes=signal.attributes,
            project_key=_project_key(key),
            group_key=signal.group_key,
        )
        if signal.action is not Action.TRIGGER:
            return self._send(key, envelope, apply, rows, ended=signal.ended_case_id)
        project = self._project(key, envelope, rows)
        if project is not None and project.deleted_at is not None:
            project = None
        rules = rows.get(RulesChanged.key_of(envelope.tenant_id, _project_key(key)), Rules)
        rule = rules.of_group(signal.group_key) if rules is not None and signal.group_key is not None else None
        return self._place(key, envelope, rows, project=project, rule=rule, ended=signal.ended_case_id, signal=apply)

    def _place(
        self,
        key: str,
        envelope: Envelope,
        rows: Rows,
        *,
        project: Project | None,
        rule: Rule | None,
        ended: str | None,
        signal: ApplySignal,
    ) -> Handled:
        """Send a trigger to its case, or open one. project: None where it is gone, so that it takes no new alerts."""
        alert_row = f"{key}|alert/{signal.alert_id}"
        group_row = None if signal.group_key is None else f"{key}|group/{signal.group_key}"
        attachment = rows.get(alert_row, Attachment)
        group = rows.get(group_row, Group) if group_row is not None else None
        placed: Join | Open
        behind = attachment is not None and attachment.case_id != ended and envelope.depth < MAX_DEPTH
        if envelope.depth >= MAX_DEPTH - 1 and not behind:
            # A trigger that met one ended case after the other: the chain ends with a case that cannot have ended. The
            # triggers behind it follow it there, or each would open one of its own.
            placed = Open()
        else:
            placed = place(attachment, group if project is not None else None, rule, envelope.occurred_at, ended=ended)
        if isinstance(placed, Join):
            changed: dict[str, Any] = {alert_row: attach(attachment, placed.case_id, signal.seq, ended)}
            joins = attachment is None or attachment.case_id != placed.case_id
            if joins and group is not None and group_row is not None:
                changed[group_row] = replace(group, joined=group.joined + 1)
            return Handled(rows=changed, forwards=(self._to_case(envelope, placed, signal),))
        if project is None:
            settled = settle(envelope.tenant_id, _carried(signal), Receipt.REJECTED, PROJECT_NOT_FOUND)
            return Handled(rows=_let_go(alert_row, attachment, signal.seq), forwards=(settled,))
        opening = self._opening(key, envelope, rows, project.project_id)
        case_id = opening.aggregate_id
        opened = replace(
            opening.body,
            title=signal.title,
            description=signal.description,
            priority=signal.priority,
            attributes=signal.attributes,
            alert_id=signal.alert_id,
            seq=signal.seq,
            signal_id=signal.signal_id,
            group_key=signal.group_key,
        )
        changed = {alert_row: attach(attachment, case_id, signal.seq, ended)}
        if group_row is not None:
            changed[group_row] = Group(case_id=case_id, opened_at=envelope.occurred_at, joined=1)
        return Handled(row=Counter(last_number=opened.number), rows=changed, forwards=(replace(opening, body=opened),))

    def _follow(self, key: str, envelope: Envelope, signal: RouteSignal, rows: Rows) -> Handled:
        """An acknowledge or resolve goes where its alert belongs; without a case there is nothing left to change."""
        apply = ApplySignal(
            action=signal.action,
            alert_id=signal.alert_id,
            seq=signal.seq,
            signal_id=signal.signal_id,
            title=_short(_clean(signal.summary, multiline=False), TITLE_LIMIT),
            project_key=_project_key(key),
        )
        return self._send(key, envelope, apply, rows, ended=None)

    def _send(self, key: str, envelope: Envelope, signal: ApplySignal, rows: Rows, *, ended: str | None) -> Handled:
        alert_row = f"{key}|alert/{signal.alert_id}"
        attachment = rows.get(alert_row, Attachment)
        there = onward(attachment, ended)
        if there is None:
            settled = settle(envelope.tenant_id, _carried(signal), Receipt.DROPPED, NO_OPEN_ALERT)
            return Handled(rows=_let_go(alert_row, attachment, signal.seq), forwards=(settled,))
        return Handled(
            rows={alert_row: attach(attachment, there.case_id, signal.seq, ended)},
            forwards=(self._to_case(envelope, there, signal),),
        )

    def _ended(self, key: str, ended: CaseEnded, rows: Rows) -> Handled:
        """Forget the case, but no alert that has moved on to another one, or whose signals are still on their way."""
        changed: dict[str, Any] = {}
        for alert in ended.alerts:
            alert_row = f"{key}|alert/{alert.alert_id}"
            attachment = rows.get(alert_row, Attachment)
            if attachment is not None and attachment.case_id == ended.case_id and attachment.seq <= alert.seq:
                changed[alert_row] = None
        if ended.group_key is not None:
            group = rows.get(f"{key}|group/{ended.group_key}", Group)
            if group is not None and group.case_id == ended.case_id:
                changed[f"{key}|group/{ended.group_key}"] = None
        return Handled(rows=changed)

    def _opening(self, key: str, envelope: Envelope, rows: Rows, project_id: str) -> Forward:
        """Return the command that opens a case under the next number; the caller keeps the counter."""
        counter = rows.get(key, Counter) or Counter()
        # The id of the command that will open it (the first that this record leads to) gives the case its id.
        case_id = derive(derive(envelope.id, STAGE, 0), "case")
        body = OpenCase(
            project_id=project_id,
            project_key=_project_key(key),
            number=counter.last_number + 1,
            type_id=STANDARD_TYPE,
            title=Sealed.plain(""),
        )
        return Forward(
            topic=CASE_COMMANDS, key=aggregate_key(envelope.tenant_id, case_id), aggregate_id=case_id, body=body
        )

    def _to_case(self, envelope: Envelope, there: Join, body: ApplySignal) -> Forward:
        case_id = there.case_id
        if there.via is not None:
            case_id, body = there.via, replace(body, moved=True)
        return Forward(
            topic=CASE_COMMANDS, key=aggregate_key(envelope.tenant_id, case_id), aggregate_id=case_id, body=body
        )

    def _project(self, key: str, envelope: Envelope, rows: Rows) -> Project | None:
        return rows.get(ProjectChanged.key_of(envelope.tenant_id, _project_key(key)), Project)


def _project_key(key: str) -> str:
    return key.split("/", 1)[1]


def _clean(text: Sealed, *, multiline: bool) -> Sealed:
    if text.key_id is not None or not text.content:
        return text
    return Sealed.plain(sanitize(text.text, multiline=multiline))


def _short(text: Sealed, limit: int) -> Sealed:
    # As many characters take as many bytes at least.
    if text.key_id is not None or len(text.content) <= limit:
        return text
    return Sealed.plain(shorten(text.text, limit))


def _carried(signal: RouteSignal | ReturnSignal | ApplySignal) -> Carried:
    return Carried(signal_id=signal.signal_id, alert_id=signal.alert_id)


def _let_go(alert_row: str, attachment: Attachment | None, seq: int) -> dict[str, Any]:
    """Forget where an alert belonged, once the last signal that was still on its way has come to nothing."""
    return {alert_row: None} if attachment is not None and attachment.seq <= seq else {}


# A signal's labels become the case's attributes, so that cases can be found and counted by them.
_NOT_ATTRIBUTES = frozenset({"summary", "priority", "dedup_key"})


def _attributes(facts: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    return limits.fit({name: value for name, value in facts.items() if name not in _NOT_ATTRIBUTES})
