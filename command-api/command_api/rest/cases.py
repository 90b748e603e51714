"""`/api/v2/cases`: create a case and change it. Operations are named as the public client names them."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from command_api.bodies import case as bodies
from command_api.operations import cases
from command_api.operations.written import Written
from command_api.rest.answer import shown
from command_api.rest.asked import asked
from command_api.rest.located import located
from infra.runtime.auth import Caller
from infra.runtime.services import Services
from schemas.rest.case import case_document


async def create_case(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.NewBody)
    new, related = body.data.attributes, body.data.relationships
    assignee = related.assignee.data if related.assignee is not None else None
    with located(bodies.NewAttributes):
        written = await cases.create_case(
            services,
            caller,
            ask,
            project=related.project.data.id,
            title=new.title,
            type_id=new.type_id,
            description=new.description or "",
            status_name=new.status_name,
            priority=new.priority,
            assignee_id=None if assignee is None else assignee.id,
            custom_attributes=tuple(new.custom_attributes),
        )
    return _case(written, HTTPStatus.CREATED)


async def update_case_title(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.TitleBody)
    with located(bodies.TitleAttributes):
        title = body.data.attributes.title
        return _case(await cases.update_title(services, caller, ask, case=_named(request), title=title))


async def update_case_description(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.DescriptionBody)
    with located(bodies.DescriptionAttributes):
        text = body.data.attributes.description
        return _case(await cases.update_description(services, caller, ask, case=_named(request), description=text))


async def update_status(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.StatusBody)
    new = body.data.attributes
    with located(bodies.StatusAttributes):
        written = await cases.update_status(
            services, caller, ask, case=_named(request), status=new.status, status_name=new.status_name
        )
    return _case(written)


async def update_priority(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.PriorityBody)
    priority = body.data.attributes.priority
    return _case(await cases.update_priority(services, caller, ask, case=_named(request), priority=priority))


async def assign_case(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.AssigneeBody)
    assignee_id = body.data.attributes.assignee_id
    return _case(await cases.assign(services, caller, ask, case=_named(request), assignee_id=assignee_id))


async def unassign_case(services: Services, caller: Caller, request: Request) -> Response:
    _, ask = await asked(request, bodies.CaseOnlyBody)
    return _case(await cases.unassign(services, caller, ask, case=_named(request)))


async def update_attributes(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.TagBody)
    with located(bodies.TagAttributes):
        tags = body.data.attributes.attributes
        return _case(await cases.update_attributes(services, caller, ask, case=_named(request), attributes=tags))


async def archive_case(services: Services, caller: Caller, request: Request) -> Response:
    _, ask = await asked(request, bodies.CaseOnlyBody)
    return _case(await cases.archive(services, caller, ask, case=_named(request)))


async def unarchive_case(services: Services, caller: Caller, request: Request) -> Response:
    _, ask = await asked(request, bodies.CaseOnlyBody)
    return _case(await cases.unarchive(services, caller, ask, case=_named(request)))


async def update_case_due_date(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.DueDateBody)
    due_date = body.data.attributes.due_date
    return _case(await cases.update_due_date(services, caller, ask, case=_named(request), due_date=due_date))


async def update_case_resolved_reason(services: Services, caller: Caller, request: Request) -> Response:
    body, ask = await asked(request, bodies.ReasonBody)
    with located(bodies.ReasonAttributes):
        reason = body.data.attributes.security_resolved_reason
        return _case(await cases.update_resolved_reason(services, caller, ask, case=_named(request), reason=reason))


def _named(request: Request) -> str:
    name: str = request.path_params["case_id"]
    return name


def _case(written: Written, status: int = HTTPStatus.OK) -> Response:
    return shown(case_document(written.row), written, status)
