"""Stage `automation`: closes cases that nothing happens to, and starts those that somebody takes, where a project asks for it."""

from __future__ import annotations

from typing import Any, Final

from streams.automation.commands import AutomationCommand, RecheckCase, RecheckPage
from streams.automation.settings import Automation, automation
from streams.automation.watch import PAGE, CasePage, Watch, watch
from streams.cases.case import Status
from streams.cases.commands import CaseCommand, CloseInactiveCase, TransitionCase
from streams.cases.events import CaseAssigned
from streams.clock import TimerFired
from streams.config.changes import ProjectChanged
from streams.envelope import Envelope
from streams.ids import aggregate_key
from streams.stage import Carried, Fact, Forward, Handled, Rows
from streams.topics import CASE_COMMANDS, CASE_REACTIONS

ACTOR: Final = "system:automation"
INACTIVE: Final = "inactive"
"""The timer of a case that is to be closed."""


class AutomationStage:
    """Rows: `tenant/case` a case; `tenant|project/KEY` what a project asks for; `tenant|cases/KEY` the last page of the
    list of its cases, `tenant|cases/KEY/N` the pages before.

    A case has a timer only while its project wants inactive cases closed. When a project begins to, or wants it after another
    time, all its cases are told, page by page.
    """

    def main_key(self, key: str, envelope: Envelope, body: Any) -> str:
        if isinstance(body, ProjectChanged):
            return body.row_key(envelope.tenant_id)
        return key

    def carried(self, _envelope: Envelope, _body: Any) -> Carried | None:
        return None

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        match body:
            case Fact():
                return self._fact(key, envelope, body, rows)
            case TimerFired(name="inactive"):
                return self._inactive(key, envelope, rows)
            case RecheckCase():
                known = rows.get(key, Watch)
                due = None if known is None else known.due(self._asked(envelope, known.project_key, rows))
                return Handled(timers={} if due is None else {INACTIVE: due})
            case RecheckPage(project_key=project_key, page=number):
                page = rows.get(_page_key(envelope, project_key, number), CasePage)
                return Handled(forwards=() if page is None else self._recheck(envelope, project_key, page))
            case ProjectChanged():
                return self._project(envelope, body, rows)
            case _:
                raise TypeError(f"stage automation does not take {type(body).__name__}")

    def _fact(self, key: str, envelope: Envelope, fact: Fact, rows: Rows) -> Handled:
        known = rows.get(key, Watch)
        if known is not None and fact.after.version <= known.version:
            return Handled()
        seen = watch(fact.after, envelope.recorded_at)
        asked = self._asked(envelope, seen.project_key, rows)
        forwards: tuple[Forward, ...] = ()
        if self._starts(envelope, fact, asked):
            forwards = (self._tell(envelope, TransitionCase(before=Status.OPEN, status=Status.IN_PROGRESS)),)
        listed = self._listed(envelope, seen, rows) if known is None else {}
        return Handled(row=seen, rows=listed, forwards=forwards, timers={INACTIVE: seen.due(asked)})

    def _starts(self, envelope: Envelope, fact: Fact, asked: Automation | None) -> bool:
        """Whether somebody has taken a case that nobody has begun with."""
        case = fact.after
        return (
            asked is not None
            and asked.start_self_assigned
            and asked.project_id == case.project_id
            and isinstance(fact.event, CaseAssigned)
            and envelope.actor == f"user:{fact.event.assignee_id}"
            and case.status is Status.OPEN
            and not case.ended
        )

    def _inactive(self, key: str, envelope: Envelope, rows: Rows) -> Handled:
        """Close the case if it is still to be. Its command says which version was seen: whatever came since keeps it open."""
        known = rows.get(key, Watch)
        due = None if known is None else known.due(self._asked(envelope, known.project_key, rows))
        if known is None or due is None:
            return Handled()
        if due * 1_000 > envelope.occurred_at:
            return Handled(timers={INACTIVE: due})
        return Handled(forwards=(self._tell(envelope, CloseInactiveCase(version=known.version)),))

    def _project(self, envelope: Envelope, changed: ProjectChanged, rows: Rows) -> Handled:
        before = rows.get(changed.row_key(envelope.tenant_id), Automation)
        asked = automation(changed.project)
        forwards: tuple[Forward, ...] = ()
        if asked.close_after is not None and asked != before:
            page = rows.get(_page_key(envelope, changed.project.key), CasePage)
            forwards = () if page is None else self._recheck(envelope, changed.project.key, page)
        return Handled(row=asked, forwards=forwards)

    def _recheck(self, envelope: Envelope, project_key: str, page: CasePage) -> tuple[Forward, ...]:
        """Let the cases of a page be looked at, and then the page before it. All of them are in this partition."""
        told = tuple(self._say(envelope, case_id, RecheckCase()) for case_id in page.cases)
        if page.number == 0 or not page.cases:
            return told
        before = RecheckPage(project_key=project_key, page=page.number - 1)
        return (*told, self._say(envelope, page.cases[0], before))

    def _listed(self, envelope: Envelope, seen: Watch, rows: Rows) -> dict[str, CasePage]:
        """Put a case on its project's list. Full, the last page is laid down under its number, and a new one begun."""
        last = _page_key(envelope, seen.project_key)
        page = rows.get(last, CasePage) or CasePage(number=0)
        case_id = envelope.aggregate_id
        if len(page.cases) < PAGE:
            return {last: CasePage(number=page.number, cases=(*page.cases, case_id))}
        laid = _page_key(envelope, seen.project_key, page.number)
        return {laid: page, last: CasePage(number=page.number + 1, cases=(case_id,))}

    def _asked(self, envelope: Envelope, project_key: str, rows: Rows) -> Automation | None:
        return rows.get(ProjectChanged.key_of(envelope.tenant_id, project_key), Automation)

    def _tell(self, envelope: Envelope, body: CaseCommand) -> Forward:
        case_id = envelope.aggregate_id
        key = aggregate_key(envelope.tenant_id, case_id)
        return Forward(topic=CASE_COMMANDS, key=key, aggregate_id=case_id, body=body, actor=ACTOR)

    def _say(self, envelope: Envelope, case_id: str, body: AutomationCommand) -> Forward:
        key = aggregate_key(envelope.tenant_id, case_id)
        return Forward(topic=CASE_REACTIONS, key=key, aggregate_id=case_id, body=body, actor=ACTOR)


def _page_key(envelope: Envelope, project_key: str, number: int | None = None) -> str:
    last = f"{envelope.tenant_id}|cases/{project_key}"
    return last if number is None else f"{last}/{number}"
