"""What was said about a case and what happened to it."""

from __future__ import annotations

from infra.runtime.auth import Caller
from query_api.operations.cases import get_case
from query_api.readers import Readers
from sinks.postgres import reads
from sinks.postgres.reads import Row


async def list_comments(
    readers: Readers, caller: Caller, case: str, *, number: int, size: int, ascending: bool
) -> list[Row]:
    """Return a page of a case's comments, those that were deleted left out. number: counts from 0. Problem 404."""
    found = await get_case(readers, caller, case)
    async with readers.db.tenant(caller.tenant_id) as connection:
        return await reads.comments(connection, found["case_id"], ascending=ascending, limit=size, offset=number * size)


async def list_activity(
    readers: Readers, caller: Caller, case: str, *, number: int, size: int, ascending: bool
) -> list[Row]:
    """Return a page of every change to a case, by version. number: counts from 0. Problem 404."""
    found = await get_case(readers, caller, case)
    async with readers.db.tenant(caller.tenant_id) as connection:
        return await reads.activity(connection, found["case_id"], ascending=ascending, limit=size, offset=number * size)
