"""Puts the query API's servicers on a gRPC server."""

from __future__ import annotations

from typing import Any, Final

from query_api.readers import Readers
from query_api.rpc.cases import CaseQueries
from query_api.rpc.projects import ProjectQueries
from schemas.proto import cases_pb2_grpc, projects_pb2_grpc

NAMES: Final = ("casestream.v1.CaseQueries", "casestream.v1.ProjectQueries")


def add(server: Any, readers: Readers) -> None:
    cases_pb2_grpc.add_CaseQueriesServicer_to_server(CaseQueries(readers), server)
    projects_pb2_grpc.add_ProjectQueriesServicer_to_server(ProjectQueries(readers), server)
