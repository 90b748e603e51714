"""Service `CaseCommands`: the same operations as REST has, with the same rules."""

# ruff: noqa: N802 - methods are named as the proto names them
from __future__ import annotations

from command_api.operations import cases, comments
from command_api.rpc.asked import ask, attributes, due_date, priority, status, user_id
from command_api.rpc.written import case_written, comment_written, written
from infra.runtime.auth import Caller
from infra.runtime.grpc import unary
from infra.runtime.services import Services
from schemas.proto import cases_pb2 as pb
from streams.cases.case import STANDARD_TYPE, Priority


class CaseCommands:
    """Every method raises what its operation raises; `unary` makes a status of it."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @unary
    async def CreateCase(self, caller: Caller, request: pb.CreateCaseRequest) -> pb.CaseWritten:
        return case_written(
            await cases.create_case(
                self.services,
                caller,
                ask(request),
                project=request.project_id,
                title=request.title,
                type_id=request.type_id or STANDARD_TYPE,
                description=request.description,
                priority=priority(request.priority, default=Priority.NOT_DEFINED),
                assignee_id=user_id(request.assignee_id) if request.HasField("assignee_id") else None,
                attributes=attributes(request.attributes),
            )
        )

    @unary
    async def ChangeTitle(self, caller: Caller, request: pb.ChangeTitleRequest) -> pb.CaseWritten:
        return case_written(
            await cases.update_title(self.services, caller, ask(request), case=request.case, title=request.title)
        )

    @unary
    async def ChangeDescription(self, caller: Caller, request: pb.ChangeDescriptionRequest) -> pb.CaseWritten:
        return case_written(
            await cases.update_description(
                self.services, caller, ask(request), case=request.case, description=request.description
            )
        )

    @unary
    async def ChangeStatus(self, caller: Caller, request: pb.ChangeStatusRequest) -> pb.CaseWritten:
        wanted = status(request.status)
        return case_written(
            await cases.update_status(
                self.services, caller, ask(request), case=request.case, status=wanted, status_name=None
            )
        )

    @unary
    async def ChangePriority(self, caller: Caller, request: pb.ChangePriorityRequest) -> pb.CaseWritten:
        wanted = priority(request.priority)
        return case_written(
            await cases.update_priority(self.services, caller, ask(request), case=request.case, priority=wanted)
        )

    @unary
    async def AssignCase(self, caller: Caller, request: pb.AssignCaseRequest) -> pb.CaseWritten:
        who = user_id(request.assignee_id)
        return case_written(await cases.assign(self.services, caller, ask(request), case=request.case, assignee_id=who))

    @unary
    async def UnassignCase(self, caller: Caller, request: pb.UnassignCaseRequest) -> pb.CaseWritten:
        return case_written(await cases.unassign(self.services, caller, ask(request), case=request.case))

    @unary
    async def ChangeAttributes(self, caller: Caller, request: pb.ChangeAttributesRequest) -> pb.CaseWritten:
        wanted = attributes(request.attributes)
        return case_written(
            await cases.update_attributes(self.services, caller, ask(request), case=request.case, attributes=wanted)
        )

    @unary
    async def ChangeDueDate(self, caller: Caller, request: pb.ChangeDueDateRequest) -> pb.CaseWritten:
        day = due_date(request.due_date)
        return case_written(
            await cases.update_due_date(self.services, caller, ask(request), case=request.case, due_date=day)
        )

    @unary
    async def ChangeResolvedReason(self, caller: Caller, request: pb.ChangeResolvedReasonRequest) -> pb.CaseWritten:
        return case_written(
            await cases.update_resolved_reason(
                self.services, caller, ask(request), case=request.case, reason=request.reason
            )
        )

    @unary
    async def ArchiveCase(self, caller: Caller, request: pb.ArchiveCaseRequest) -> pb.CaseWritten:
        return case_written(await cases.archive(self.services, caller, ask(request), case=request.case))

    @unary
    async def UnarchiveCase(self, caller: Caller, request: pb.UnarchiveCaseRequest) -> pb.CaseWritten:
        return case_written(await cases.unarchive(self.services, caller, ask(request), case=request.case))

    @unary
    async def AddComment(self, caller: Caller, request: pb.AddCommentRequest) -> pb.CommentWritten:
        return comment_written(
            await comments.comment_case(self.services, caller, ask(request), case=request.case, comment=request.message)
        )

    @unary
    async def EditComment(self, caller: Caller, request: pb.EditCommentRequest) -> pb.CommentWritten:
        return comment_written(
            await comments.update_comment(
                self.services,
                caller,
                ask(request),
                case=request.case,
                cell_id=request.comment_id,
                comment=request.message,
            )
        )

    @unary
    async def DeleteComment(self, caller: Caller, request: pb.DeleteCommentRequest) -> pb.Written:
        return written(
            await comments.delete_comment(
                self.services, caller, ask(request), case=request.case, cell_id=request.comment_id
            )
        )
