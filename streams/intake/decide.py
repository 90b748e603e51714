"""What intake decides: may this case be created, and which case does this trigger belong to."""

from __future__ import annotations

from dataclasses import dataclass

from streams.cases import limits
from streams.cases.case import ALERTS_LIMIT, STANDARD_TYPE
from streams.config.project import Project
from streams.config.rule import Rule
from streams.decision import Rejected, reject
from streams.intake.commands import CreateCase
from streams.intake.project_intake import Attachment, Group
from streams.intake.way import Join, onward


@dataclass(frozen=True, slots=True)
class Open:
    """The signal opens a case."""


def refuse(command: CreateCase, project: Project | None) -> Rejected | None:
    """Return why this case may not be created, None if it may. Asked before a number is taken, of clean text."""
    if project is None or project.deleted_at is not None or project.project_id != command.project_id:
        return reject("project.not_found", f"project {command.project_id} does not exist", field="project")
    if command.type_id != STANDARD_TYPE:
        return reject("type.not_found", f"case type {command.type_id} does not exist", field="type_id")
    return (
        limits.title(command.title)
        or limits.description(command.description)
        or limits.assignee(command.assignee_id)
        or limits.attributes(command.attributes)
    )


def place(
    attachment: Attachment | None, group: Group | None, rule: Rule | None, at: int, ended: str | None
) -> Join | Open:
    """Say where a trigger at `at` (microseconds) belongs. `ended`: a case that it met closed, which is no place."""
    there = onward(attachment, ended)
    if there is not None:
        return there
    if group is None or group.joined >= ALERTS_LIMIT or group.case_id == ended:
        return Open()
    if attachment is not None and group.case_id in (*attachment.path, attachment.case_id):
        return Open()
    if rule is not None and rule.window is not None and at - group.opened_at > rule.window * 1_000_000:
        return Open()
    return Join(case_id=group.case_id)
