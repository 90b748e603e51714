"""`/api/v2/alert-rules`: which alerts to suppress, and which to join to one case."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from command_api.bodies import alert_rule as bodies
from command_api.operations import alert_rules
from command_api.rest.answer import removed, shown
from command_api.rest.asked import ask, asked
from command_api.rest.located import located
from infra.runtime.auth import Caller
from infra.runtime.services import Services
from schemas.rest.alert_rule import rule_document
from streams.config.rule import Condition


async def create_alert_rule(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.NewBody)
    new = body.data.attributes
    with located(bodies.NewAttributes):
        written = await alert_rules.create_rule(
            services,
            caller,
            wanted,
            project_id=new.project_id,
            kind=new.kind,
            name=new.name,
            enabled=new.enabled,
            conditions=_conditions(new.conditions),
            group_by=new.group_by,
            window_seconds=new.window_seconds,
        )
    return shown(rule_document(written.row), written, HTTPStatus.CREATED)


async def replace_alert_rule(services: Services, caller: Caller, request: Request) -> Response:
    body, wanted = await asked(request, bodies.ReplacedBody)
    new = body.data.attributes
    with located(bodies.ReplacedAttributes):
        written = await alert_rules.replace_rule(
            services,
            caller,
            wanted,
            rule=request.path_params["rule_id"],
            name=new.name,
            enabled=new.enabled,
            conditions=_conditions(new.conditions),
            group_by=new.group_by,
            window_seconds=new.window_seconds,
            project_id=new.project_id,
            kind=new.kind,
        )
    return shown(rule_document(written.row), written)


async def delete_alert_rule(services: Services, caller: Caller, request: Request) -> Response:
    rule = request.path_params["rule_id"]
    return removed(await alert_rules.delete_rule(services, caller, ask(request), rule=rule))


def _conditions(said: list[bodies.ConditionFields]) -> tuple[Condition, ...]:
    return tuple(Condition(field=c.field, operator=c.operator, value=c.value) for c in said)
