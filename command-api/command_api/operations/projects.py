"""Projects: places for cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from command_api.operations import configuration
from command_api.operations.checks import Checks
from command_api.operations.written import Removed, Written
from infra.runtime.auth import Caller
from infra.runtime.commands import Ask, Submitted
from infra.runtime.problems import problem
from infra.runtime.services import Services
from sinks.postgres import reads
from streams.cases.case import STANDARD_TYPE
from streams.config.commands import CreateProject, DeleteProject, UpdateProject
from streams.config.limits import SETTINGS_LIMIT
from streams.text import NAME_LIMIT


async def create_project(
    services: Services,
    caller: Caller,
    ask: Ask,
    *,
    key: str,
    name: str,
    team_uuid: str | None = None,
    enabled_custom_case_types: Sequence[str] = (),
) -> Written:
    """Create a project. Problem 409 where another one has the key, 422 where the key is not one."""
    checks = Checks()
    sealed = checks.line("project", "name", name, NAME_LIMIT)
    checks.done()
    _known(enabled_custom_case_types)
    body = CreateProject(
        key=key, name=sealed, team_uuid=team_uuid, enabled_custom_case_types=tuple(enabled_custom_case_types)
    )
    submitted = await configuration.submit(services, caller, "create_project", ask, body)
    return await _project(services, caller, submitted.outcome.aggregate_id, submitted)


async def update_project(
    services: Services,
    caller: Caller,
    ask: Ask,
    *,
    project: str,
    name: str | None = None,
    team_uuid: str | None = None,
    enabled_custom_case_types: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    columns_config: Mapping[str, Any] | None = None,
) -> Written:
    """Change what is given; None leaves it as it is. settings and columns_config are replaced whole."""
    project_id = configuration.object_id("project", project)
    checks = Checks()
    sealed = None if name is None else checks.line("project", "name", name, NAME_LIMIT)
    settings_text = _text(checks, "settings", settings)
    columns_text = _text(checks, "columns_config", columns_config)
    checks.done()
    _known(enabled_custom_case_types or ())
    body = UpdateProject(
        project_id=project_id,
        name=sealed,
        team_uuid=team_uuid,
        enabled_custom_case_types=None if enabled_custom_case_types is None else tuple(enabled_custom_case_types),
        settings=settings_text,
        columns_config=columns_text,
    )
    submitted = await configuration.submit(services, caller, "update_project", ask, body)
    return await _project(services, caller, project_id, submitted)


async def delete_project(services: Services, caller: Caller, ask: Ask, *, project: str) -> Removed:
    """Delete a project; its cases stay. Its key may be given to another one, whose cases go on counting."""
    body = DeleteProject(project_id=configuration.object_id("project", project))
    return Removed.of(await configuration.submit(services, caller, "delete_project", ask, body))


def _text(checks: Checks, field: str, value: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    checks.within("project", field, len(text), SETTINGS_LIMIT, "bytes")
    return text.decode()


def _known(types: Sequence[str]) -> None:
    for n, type_id in enumerate(types):
        if type_id != STANDARD_TYPE:
            field = f"enabled_custom_case_types.{n}"
            raise problem(404, "type.not_found", f"case type {type_id} does not exist", field=field)


async def _project(services: Services, caller: Caller, project_id: str, submitted: Submitted) -> Written:
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.project(connection, project_id)
    return Written.of(row, submitted, "project")
