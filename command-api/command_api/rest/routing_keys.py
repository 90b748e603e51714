"""`/api/v2/routing-keys`: the secrets that let alerts into a project. A key itself is shown once, at its creation."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from command_api.bodies import routing_key as bodies
from command_api.operations import routing_keys
from command_api.rest.answer import removed, shown
from command_api.rest.asked import ask, asked
from command_api.rest.located import located
from infra.runtime.auth import APPLICATION_KEY, Caller
from infra.runtime.services import Services
from schemas.rest.routing_key import routing_key_document


async def create_routing_key(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.NewBody)
    project_id = body.data.attributes.project_id
    secret = routing_keys.mint(request.headers[APPLICATION_KEY], wanted.idempotency_key, project_id)
    with located(bodies.NewAttributes):
        written = await routing_keys.create_routing_key(
            services, caller, wanted, project_id=project_id, routing_key=secret
        )
    answer = shown(routing_key_document(written.row, secret), written, HTTPStatus.CREATED)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def delete_routing_key(services: Services, caller: Caller, request: Request) -> Response:
    routing_key = request.path_params["routing_key_id"]
    return removed(await routing_keys.revoke_routing_key(services, caller, ask(request), routing_key=routing_key))
