"""`/api/v2/cases/{case_id}/comment`: comments, which are the cells of a case's timeline."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from command_api.bodies import case as bodies
from command_api.operations import comments
from command_api.rest.answer import removed, shown
from command_api.rest.asked import ask, asked
from command_api.rest.located import located
from infra.runtime.auth import Caller
from infra.runtime.services import Services
from schemas.rest.timeline import timeline_document


async def comment_case(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.CommentBody)
    with located(bodies.CommentAttributes):
        written = await comments.comment_case(
            services, caller, wanted, case=request.path_params["case_id"], comment=body.data.attributes.comment
        )
    return shown(timeline_document([written.row]), written)


async def update_case_comment(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.CommentBody)
    with located(bodies.CommentAttributes):
        written = await comments.update_comment(
            services,
            caller,
            wanted,
            case=request.path_params["case_id"],
            cell_id=request.path_params["cell_id"],
            comment=body.data.attributes.comment,
        )
    return shown(timeline_document([written.row]), written)


async def delete_case_comment(services: Services, caller: Caller, request: Request) -> Response:
    case, cell_id = request.path_params["case_id"], request.path_params["cell_id"]
    return removed(await comments.delete_comment(services, caller, ask(request), case=case, cell_id=cell_id))
