"""Service `CaseQueries`: the same operations as REST has, with the same rules."""

# ruff: noqa: N802 - methods are named as the proto names them
from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import assert_never

from infra.runtime.auth import Caller
from infra.runtime.grpc import stream, unary
from query_api.operations import cases, counts, history, live, timeline
from query_api.operations.cases import Listing
from query_api.operations.counts import Asked
from query_api.operations.page import SIZE_LIMIT
from query_api.readers import Readers
from query_api.rpc.asked import order, page, position, size, then
from schemas.proto import cases_pb2 as pb
from schemas.proto.render import PRIORITIES, STATUSES, activity_message, case_message, comment_message
from sinks.nexus.hub import Happened, Message, Ready, Resync
from streams.cases.case import Priority, Status

_VALUES_LIMIT = 1_000


class CaseQueries:
    """Every method raises what its operation raises; `unary` and `stream` make a status of it."""

    def __init__(self, readers: Readers) -> None:
        self.services = readers.services
        self._readers = readers

    @unary
    async def GetCase(self, caller: Caller, request: pb.GetCaseRequest) -> pb.Case:
        asked = then(request)
        if asked is None:
            return case_message(await cases.get_case(self._readers, caller, request.case))
        return case_message(await history.get_case_then(self._readers, caller, request.case, asked))

    @unary
    async def SearchCases(self, caller: Caller, request: pb.SearchCasesRequest) -> pb.SearchCasesResponse:
        found = await cases.list_cases(
            self._readers,
            caller,
            Listing(
                text=request.filter,
                order=order(request.sort),
                ascending=request.ascending,
                number=page(request.page_number),
                size=size(request.page_size),
                cursor=request.cursor or None,
                position=position(request.position),
            ),
        )
        return pb.SearchCasesResponse(
            cases=[case_message(row) for row in found.rows],
            total=found.matching,
            next_cursor=found.next_cursor or "",
        )

    @unary
    async def CountCases(self, caller: Caller, request: pb.CountCasesRequest) -> pb.CountCasesResponse:
        asked = Asked(text=request.filter, position=position(request.position), field="filter")
        limit = size(request.limit, limit=_VALUES_LIMIT, field="limit")
        found = await counts.count_cases(self._readers, caller, asked, list(dict.fromkeys(request.group_bys)), limit)
        return pb.CountCasesResponse(
            total=found.total,
            groups=[
                pb.CountCasesResponse.Group(
                    field=name,
                    values=[pb.CountCasesResponse.Value(value=c.value, count=c.count) for c in values],
                )
                for name, values in found.groups.items()
            ],
        )

    @unary
    async def ListComments(self, caller: Caller, request: pb.ListCommentsRequest) -> pb.ListCommentsResponse:
        rows = await timeline.list_comments(
            self._readers,
            caller,
            request.case,
            number=page(request.page_number) - 1,
            size=size(request.page_size, default=SIZE_LIMIT),
            ascending=request.ascending,
        )
        return pb.ListCommentsResponse(comments=[comment_message(row) for row in rows])

    @unary
    async def ListActivity(self, caller: Caller, request: pb.ListActivityRequest) -> pb.ListActivityResponse:
        rows = await timeline.list_activity(
            self._readers,
            caller,
            request.case,
            number=page(request.page_number) - 1,
            size=size(request.page_size, default=SIZE_LIMIT),
            ascending=request.ascending,
        )
        return pb.ListActivityResponse(activity=[activity_message(row) for row in rows])

    @stream
    async def WatchCases(self, caller: Caller, request: pb.WatchCasesRequest) -> AsyncIterator[pb.WatchCasesResponse]:
        async with aclosing(live.stream(self._readers, caller, request.cursor or None)) as messages:
            async for message in messages:
                # None is a silence: gRPC keeps its connections alive by itself.
                if message is not None:
                    yield _watched(message)


def _watched(message: Message) -> pb.WatchCasesResponse:
    match message:
        case Ready(cursor=cursor):
            return pb.WatchCasesResponse(cursor=cursor.encode(), ready=pb.Ready())
        case Happened(row=row, cursor=cursor):
            change = pb.Change(
                activity=activity_message(row),
                case_key=row["case_key"],
                title=row["case_title"],
                status=STATUSES[Status(row["case_status"])],
                priority=PRIORITIES[Priority(row["case_priority"])],
                project_id=str(row["case_project_id"]),
            )
            return pb.WatchCasesResponse(cursor=cursor.encode(), change=change)
        case Resync(why=why):
            return pb.WatchCasesResponse(resync=pb.Resync(reason=why.value))
        case _:
            assert_never(message)
