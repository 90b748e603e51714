"""Answers to gRPC writes."""

from __future__ import annotations

from command_api.operations.written import Removed, Written
from schemas.proto import cases_pb2 as pb
from schemas.proto import projects_pb2 as projects
from schemas.proto.render import case_message, comment_message, project_message


def case_written(done: Written) -> pb.CaseWritten:
    return pb.CaseWritten(case=case_message(done.row), written=written(done))


def comment_written(done: Written) -> pb.CommentWritten:
    return pb.CommentWritten(comment=comment_message(done.row), written=written(done))


def project_written(done: Written) -> projects.ProjectWritten:
    return projects.ProjectWritten(project=project_message(done.row), written=written(done))


def written(done: Written | Removed) -> pb.Written:
    return pb.Written(command_id=done.command_id, position=str(done.position))
