"""`/api/v2/cases/projects`: create, change and delete projects."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from command_api.bodies import project as bodies
from command_api.operations import projects
from command_api.rest.answer import removed, shown
from command_api.rest.asked import ask, asked
from command_api.rest.located import located
from infra.runtime.auth import Caller
from infra.runtime.services import Services
from schemas.rest.project import project_document


async def create_project(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.NewBody)
    new = body.data.attributes
    with located(bodies.NewAttributes):
        written = await projects.create_project(
            services,
            caller,
            wanted,
            key=new.key,
            name=new.name,
            team_uuid=new.team_uuid,
            enabled_custom_case_types=new.enabled_custom_case_types,
        )
    return shown(project_document(written.row), written, HTTPStatus.CREATED)


async def update_project(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.ChangedBody)
    new = body.data.attributes
    with located(bodies.ChangedAttributes):
        written = await projects.update_project(
            services,
            caller,
            wanted,
            project=request.path_params["project_id"],
            name=new.name,
            team_uuid=new.team_uuid,
            enabled_custom_case_types=new.enabled_custom_case_types,
            settings=None if new.settings is None else new.settings.model_dump(exclude_none=True),
            columns_config=None if new.columns_config is None else new.columns_config.model_dump(exclude_none=True),
        )
    return shown(project_document(written.row), written)


async def delete_project(services: Services, caller: Caller, request: Request) -> Response:
    project = request.path_params["project_id"]
    return removed(await projects.delete_project(services, caller, ask(request), project=project))
