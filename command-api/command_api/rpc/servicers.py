"""Puts the command API's servicers on a gRPC server."""

from __future__ import annotations

from typing import Any, Final

from command_api.rpc.cases import CaseCommands
from command_api.rpc.projects import ProjectCommands
from infra.runtime.services import Services
from schemas.proto import cases_pb2_grpc, projects_pb2_grpc

NAMES: Final = ("casestream.v1.CaseCommands", "casestream.v1.ProjectCommands")


def add(server: Any, services: Services) -> None:
    cases_pb2_grpc.add_CaseCommandsServicer_to_server(CaseCommands(services), server)
    projects_pb2_grpc.add_ProjectCommandsServicer_to_server(ProjectCommands(services), server)
