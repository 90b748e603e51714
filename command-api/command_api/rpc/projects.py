"""Service `ProjectCommands`."""

# ruff: noqa: N802 - methods are named as the proto names them
from __future__ import annotations

from command_api.operations import projects
from command_api.rpc.asked import ask
from command_api.rpc.written import project_written, written
from infra.runtime.auth import Caller
from infra.runtime.grpc import unary
from infra.runtime.services import Services
from schemas.proto import cases_pb2 as cases_pb
from schemas.proto import projects_pb2 as pb


class ProjectCommands:
    """Every method raises what its operation raises; `unary` makes a status of it."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @unary
    async def CreateProject(self, caller: Caller, request: pb.CreateProjectRequest) -> pb.ProjectWritten:
        return project_written(
            await projects.create_project(
                self.services,
                caller,
                ask(request),
                key=request.key,
                name=request.name,
                team_uuid=request.team_uuid if request.HasField("team_uuid") else None,
            )
        )

    @unary
    async def UpdateProject(self, caller: Caller, request: pb.UpdateProjectRequest) -> pb.ProjectWritten:
        return project_written(
            await projects.update_project(
                self.services,
                caller,
                ask(request),
                project=request.project_id,
                name=request.name if request.HasField("name") else None,
                team_uuid=request.team_uuid if request.HasField("team_uuid") else None,
            )
        )

    @unary
    async def DeleteProject(self, caller: Caller, request: pb.DeleteProjectRequest) -> cases_pb.Written:
        return written(await projects.delete_project(self.services, caller, ask(request), project=request.project_id))
