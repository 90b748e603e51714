"""A case as it was: at a version, or at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from infra.runtime.auth import Caller
from infra.runtime.problems import Problem, problem
from query_api.operations.cases import not_found
from query_api.readers import Readers
from schemas.rest.value import moment
from sinks.postgres import history, reads
from sinks.postgres.reads import Row


@dataclass(frozen=True, slots=True)
class AtVersion:
    version: int


@dataclass(frozen=True, slots=True)
class AtMoment:
    """at: with its zone. A moment to come shows the case as it is now."""

    at: datetime


Then: TypeAlias = AtVersion | AtMoment


async def get_case_then(readers: Readers, caller: Caller, name: str, then: Then) -> Row:
    """Return what `get_case` answered then, by id or key, archived or not: of what there is now, its key finds it.

    Problem 404 "case.not_found", "case.not_found_then" before it was opened, "case.version_not_found" where it has not come
    so far, "case.not_kept" where the view was filled before histories were kept.
    """
    async with readers.db.tenant(caller.tenant_id) as connection:
        now = await reads.case(connection, name)
        if now is None:
            raise not_found(name)
        match then:
            case AtVersion(version=version):
                if version > now["version"]:
                    raise _not_so_far(now, version)
                found = await history.case_at_version(connection, now["case_id"], version)
            case AtMoment(at=at):
                if at < now["created_at"]:
                    raise _not_yet(now)
                found = await history.case_at(connection, now["case_id"], at)
            case _:
                assert_never(then)
    if found is None:
        raise problem(
            404,
            "case.not_kept",
            f"what case {now['key']} was then is not in the view, which was filled before histories were kept: rebuild it",
            field=_FIELDS[type(then)],
        )
    return found


_FIELDS: Final[dict[type[Then], str]] = {AtVersion: "version", AtMoment: "as_of"}


def _not_yet(now: Row) -> Problem:
    detail = f"case {now['key']} was opened at {moment(now['created_at'])}; there is nothing before that"
    return problem(404, "case.not_found_then", detail, field="as_of")


def _not_so_far(now: Row, version: int) -> Problem:
    detail = f"case {now['key']} is at version {now['version']}; there is no version {version} yet"
    return problem(404, "case.version_not_found", detail, field="version")
