"""`/api/v2/cases/projects`, `/api/v2/alert-rules` and `/api/v2/routing-keys`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Caller
from infra.runtime.http import Json
from query_api.operations import projects
from query_api.readers import Readers
from query_api.rest.parameters import Parameters
from schemas.rest.alert_rule import rule_data
from schemas.rest.project import project_document, projects_document
from schemas.rest.routing_key import routing_key_data


async def get_projects(readers: Readers, caller: Caller, _request: Request) -> Response:
    """GET /api/v2/cases/projects: all of them, as the public API does."""
    return Json(projects_document(await projects.list_projects(readers, caller)))


async def get_project(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/projects/{project_id}: by id or key. The ETag is the version that a write may expect."""
    row = await projects.get_project(readers, caller, request.path_params["project_id"])
    return Json(project_document(row), headers={"ETag": f'"{row["version"]}"'})


async def list_alert_rules(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/alert-rules: filter[project], a key or an id."""
    project = Parameters(request).text("filter[project]") or None
    rows = await projects.list_rules(readers, caller, project)
    return Json({"data": [rule_data(row) for row in rows]})


async def get_alert_rule(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/alert-rules/{rule_id}."""
    row = await projects.get_rule(readers, caller, request.path_params["rule_id"])
    return Json({"data": rule_data(row)}, headers={"ETag": f'"{row["version"]}"'})


async def list_routing_keys(readers: Readers, caller: Caller, _request: Request) -> Response:
    """GET /api/v2/routing-keys. The keys themselves are nowhere."""
    return Json({"data": [routing_key_data(row) for row in await projects.list_routing_keys(readers, caller)]})
