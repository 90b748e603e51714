"""What can be done to a case. `case` is its id or its key; who names one that is not his tenant's gets 404.

Every function carries out one command, raises what `Commands.submit` raises, and is repeatable as that is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from command_api.operations.checks import Checks
from command_api.operations.status import status_of
from command_api.operations.written import Written
from infra.runtime.auth import Caller
from infra.runtime.commands import Ask
from infra.runtime.problems import problem
from infra.runtime.services import Services
from sinks.postgres import reads
from streams.cases.case import STANDARD_TYPE, Priority, Status
from streams.cases.commands import (
    ArchiveCase,
    AssignCase,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
    UnarchiveCase,
    UnassignCase,
)
from streams.intake.commands import CreateCase
from streams.text import DESCRIPTION_LIMIT, RESOLVED_REASON_LIMIT, TITLE_LIMIT, shorten
from streams.topics import CASE_COMMANDS, CASE_INTAKE


async def create_case(
    services: Services,
    caller: Caller,
    ask: Ask,
    *,
    project: str,
    title: str,
    type_id: str = STANDARD_TYPE,
    description: str = "",
    status_name: str | None = None,
    priority: Priority = Priority.NOT_DEFINED,
    assignee_id: str | None = None,
    attributes: Mapping[str, Sequence[str]] | None = None,
    custom_attributes: Collection[str] = (),
) -> Written:
    """Create a case under the next number of a project, which is named by its id or its key.

    custom_attributes: names that the case's type must know. Problem 404 where project, type or such a name is unknown.
    """
    checks = Checks()
    sealed_title = checks.line("case", "title", title, TITLE_LIMIT)
    sealed_description = checks.lines("case", "description", description, DESCRIPTION_LIMIT, needed=False)
    tags = checks.tags("attributes", attributes or {})
    status = Status.OPEN if status_name is None else status_of(None, status_name, checks)
    checks.done()
    if type_id != STANDARD_TYPE:
        raise problem(404, "type.not_found", f"case type {shorten(type_id, 80)} does not exist", field="type_id")
    for name in custom_attributes:
        raise problem(
            404,
            "custom_attribute.not_found",
            "the type STANDARD has no such custom attribute",
            field=f"custom_attributes.{shorten(name, 80)}",
        )
    async with services.db.tenant(caller.tenant_id) as connection:
        owner = await reads.project(connection, project)
    if owner is None:
        raise problem(404, "project.not_found", f"project {shorten(project, 80)} does not exist", field="project")
    submitted = await services.commands.submit(
        caller,
        "create_case",
        ask,
        topic=CASE_INTAKE,
        aggregate_id=owner["key"],
        body=CreateCase(
            project_id=str(owner["project_id"]),
            title=sealed_title,
            type_id=type_id,
            description=sealed_description,
            status=status,
            priority=priority,
            assignee_id=assignee_id,
            attributes=tags,
        ),
    )
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.case(connection, submitted.outcome.aggregate_id)
    return Written.of(row, submitted, "case")


async def update_title(services: Services, caller: Caller, ask: Ask, *, case: str, title: str) -> Written:
    checks = Checks()
    sealed = checks.line("case", "title", title, TITLE_LIMIT)
    checks.done()
    return await _change(services, caller, "update_case_title", ask, case, ChangeTitle(title=sealed))


async def update_description(services: Services, caller: Caller, ask: Ask, *, case: str, description: str) -> Written:
    checks = Checks()
    sealed = checks.lines("case", "description", description, DESCRIPTION_LIMIT, needed=False)
    checks.done()
    return await _change(services, caller, "update_case_description", ask, case, ChangeDescription(description=sealed))


async def update_status(
    services: Services, caller: Caller, ask: Ask, *, case: str, status: Status | None = None, status_name: str | None
) -> Written:
    """Change the status, said by its value or by its name; where both are given they must mean the same."""
    checks = Checks()
    wanted = status_of(status, status_name, checks)
    checks.done()
    return await _change(services, caller, "update_status", ask, case, ChangeStatus(status=wanted))


async def update_priority(services: Services, caller: Caller, ask: Ask, *, case: str, priority: Priority) -> Written:
    return await _change(services, caller, "update_priority", ask, case, ChangePriority(priority=priority))


async def assign(services: Services, caller: Caller, ask: Ask, *, case: str, assignee_id: str) -> Written:
    return await _change(services, caller, "assign_case", ask, case, AssignCase(assignee_id=assignee_id))


async def unassign(services: Services, caller: Caller, ask: Ask, *, case: str) -> Written:
    return await _change(services, caller, "unassign_case", ask, case, UnassignCase())


async def update_attributes(
    services: Services, caller: Caller, ask: Ask, *, case: str, attributes: Mapping[str, Sequence[str]]
) -> Written:
    """Replace all attributes."""
    checks = Checks()
    tags = checks.tags("attributes", attributes)
    checks.done()
    return await _change(services, caller, "update_attributes", ask, case, ChangeAttributes(attributes=tags))


async def archive(services: Services, caller: Caller, ask: Ask, *, case: str) -> Written:
    return await _change(services, caller, "archive_case", ask, case, ArchiveCase())


async def unarchive(services: Services, caller: Caller, ask: Ask, *, case: str) -> Written:
    return await _change(services, caller, "unarchive_case", ask, case, UnarchiveCase())


async def update_due_date(services: Services, caller: Caller, ask: Ask, *, case: str, due_date: str | None) -> Written:
    """Set the day by which the case should be done, an ISO date; None for none."""
    return await _change(services, caller, "update_case_due_date", ask, case, ChangeDueDate(due_date=due_date))


async def update_resolved_reason(services: Services, caller: Caller, ask: Ask, *, case: str, reason: str) -> Written:
    """Say why a closed case is closed. Problem 422 where it is not."""
    checks = Checks()
    sealed = checks.lines("case", "resolved_reason", reason, RESOLVED_REASON_LIMIT, needed=True)
    checks.done()
    body = ChangeResolvedReason(reason=sealed)
    return await _change(services, caller, "update_case_resolved_reason", ask, case, body)


async def case_id_of(services: Services, caller: Caller, case: str) -> str:
    """Return the id of a case that is named by id or key. Problem 404 where a key is unknown; an id is not looked up,
    because the stage knows best which cases there are.
    """
    case_id = reads.uuid_of(case)
    if case_id is not None:
        return str(case_id)
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.case(connection, case)
    if row is None:
        raise problem(404, "case.not_found", f"case {shorten(case, 80)} does not exist")
    return str(row["case_id"])


async def _change(services: Services, caller: Caller, operation: str, ask: Ask, case: str, body: Any) -> Written:
    case_id = await case_id_of(services, caller, case)
    submitted = await services.commands.submit(
        caller, operation, ask, topic=CASE_COMMANDS, aggregate_id=case_id, body=body
    )
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.case(connection, case_id)
    return Written.of(row, submitted, "case")
