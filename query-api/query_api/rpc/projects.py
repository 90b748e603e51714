"""Service `ProjectQueries`."""

# ruff: noqa: N802 - methods are named as the proto names them
from __future__ import annotations

from infra.runtime.auth import Caller
from infra.runtime.grpc import unary
from query_api.operations import projects
from query_api.readers import Readers
from schemas.proto import projects_pb2 as pb
from schemas.proto.render import project_message


class ProjectQueries:
    """Every method raises what its operation raises; `unary` makes a status of it."""

    def __init__(self, readers: Readers) -> None:
        self.services = readers.services
        self._readers = readers

    @unary
    async def GetProject(self, caller: Caller, request: pb.GetProjectRequest) -> pb.Project:
        return project_message(await projects.get_project(self._readers, caller, request.project_id))

    @unary
    async def ListProjects(self, caller: Caller, _request: pb.ListProjectsRequest) -> pb.ListProjectsResponse:
        rows = await projects.list_projects(self._readers, caller)
        return pb.ListProjectsResponse(projects=[project_message(row) for row in rows])
