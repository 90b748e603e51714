"""Comments on a case. Each is a cell of its timeline."""

from __future__ import annotations

from typing import Any

from command_api.operations.cases import case_id_of
from command_api.operations.checks import Checks
from command_api.operations.written import Removed, Written
from infra.runtime.auth import Caller
from infra.runtime.commands import Ask, Submitted
from infra.runtime.problems import problem
from infra.runtime.services import Services
from sinks.postgres import reads
from streams.cases.commands import AddComment, DeleteComment, EditComment
from streams.ids import derive
from streams.text import COMMENT_LIMIT, Sealed
from streams.topics import CASE_COMMANDS


async def comment_case(services: Services, caller: Caller, ask: Ask, *, case: str, comment: str) -> Written:
    """Add a comment; the row is its cell."""
    message = _message(comment)
    case_id = await case_id_of(services, caller, case)
    submitted = await _submit(services, caller, "comment_case", ask, case_id, AddComment(message=message))
    return await _cell(services, caller, case_id, derive(submitted.command_id, "comment"), submitted)


async def update_comment(
    services: Services, caller: Caller, ask: Ask, *, case: str, cell_id: str, comment: str
) -> Written:
    """Replace the text of a comment. Problem 404 where it was deleted or never was."""
    message, comment_id = _message(comment), _cell_id(cell_id)
    case_id = await case_id_of(services, caller, case)
    body = EditComment(comment_id=comment_id, message=message)
    submitted = await _submit(services, caller, "update_case_comment", ask, case_id, body)
    return await _cell(services, caller, case_id, comment_id, submitted)


async def delete_comment(services: Services, caller: Caller, ask: Ask, *, case: str, cell_id: str) -> Removed:
    """Delete a comment; again, it changes nothing. Problem 404 where it never was."""
    comment_id = _cell_id(cell_id)
    case_id = await case_id_of(services, caller, case)
    body = DeleteComment(comment_id=comment_id)
    return Removed.of(await _submit(services, caller, "delete_case_comment", ask, case_id, body))


def _message(comment: str) -> Sealed:
    checks = Checks()
    message = checks.lines("case", "comment", comment, COMMENT_LIMIT, needed=True)
    checks.done()
    return message


def _cell_id(text: str) -> str:
    found = reads.uuid_of(text)
    if found is None:
        raise problem(400, "request.field_invalid", "must be a UUID", field="cell_id")
    return str(found)


async def _submit(services: Services, caller: Caller, operation: str, ask: Ask, case_id: str, body: Any) -> Submitted:
    return await services.commands.submit(caller, operation, ask, topic=CASE_COMMANDS, aggregate_id=case_id, body=body)


async def _cell(services: Services, caller: Caller, case_id: str, cell_id: str, submitted: Submitted) -> Written:
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.comment(connection, case_id, cell_id)
    return Written.of(row, submitted, "comment")
