"""The gRPC API through a real channel: every method, its errors, its live stream, and the walls between tenants."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from schemas.proto import cases_pb2 as pb
from schemas.proto import cases_pb2_grpc, projects_pb2_grpc
from schemas.proto import projects_pb2 as projects_pb
from tests.stack import Stack

pytestmark = pytest.mark.engines


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """All services with the keys of one tenant."""

    commands: Any
    queries: Any
    project_commands: Any
    projects: Any
    metadata: tuple[tuple[str, str], ...]
    project_id: str

    def call(self, method: str, request: Any, **options: Any) -> Any:
        for stub in (self.commands, self.queries, self.project_commands, self.projects):
            if hasattr(stub, method):
                return getattr(stub, method)(request, metadata=self.metadata, timeout=20, **options)
        raise AttributeError(method)

    def refused(self, method: str, request: Any) -> tuple[grpc.StatusCode, str]:
        """The status code and the reason with which a call is refused."""
        with pytest.raises(grpc.RpcError) as error:
            self.call(method, request)
        status = rpc_status.from_call(error.value)
        assert status is not None
        info = error_details_pb2.ErrorInfo()
        assert any(detail.Unpack(info) for detail in status.details)
        return error.value.code(), info.reason

    def create(self, **given: Any) -> pb.CaseWritten:
        request = pb.CreateCaseRequest(**{"project_id": self.project_id, "title": "Disk full", **given})
        written: pb.CaseWritten = self.call("CreateCase", request)
        return written


@pytest.fixture(scope="module")
def channel(stack: Stack) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(stack.grpc) as opened:
        yield opened


def client(stack: Stack, channel: grpc.Channel, tenant: int) -> Client:
    return Client(
        commands=cases_pb2_grpc.CaseCommandsStub(channel),
        queries=cases_pb2_grpc.CaseQueriesStub(channel),
        project_commands=projects_pb2_grpc.ProjectCommandsStub(channel),
        projects=projects_pb2_grpc.ProjectQueriesStub(channel),
        metadata=tuple((name.lower(), key) for name, key in stack.keys(tenant).items()),
        project_id=stack.tenants[tenant]["project_id"],
    )


@pytest.fixture(scope="module")
def mine(stack: Stack, channel: grpc.Channel) -> Client:
    return client(stack, channel, 0)


@pytest.fixture(scope="module")
def theirs(stack: Stack, channel: grpc.Channel) -> Client:
    return client(stack, channel, 1)


def test_a_case_lives_its_life(mine: Client) -> None:
    user = str(uuid.uuid4())
    made = mine.create(description="on db1 🔥", priority=pb.PRIORITY_P2, attributes={"team": pb.Values(values=["db"])})
    case = made.case.id
    steps = [
        ("ChangeTitle", pb.ChangeTitleRequest(case=case, title="Disk nearly full")),
        ("ChangeDescription", pb.ChangeDescriptionRequest(case=made.case.key, description="see runbook")),
        ("ChangePriority", pb.ChangePriorityRequest(case=case, priority=pb.PRIORITY_P1)),
        ("AssignCase", pb.AssignCaseRequest(case=case, assignee_id=user)),
        ("ChangeAttributes", pb.ChangeAttributesRequest(case=case, attributes={"team": pb.Values(values=["web"])})),
        ("ChangeDueDate", pb.ChangeDueDateRequest(case=case, due_date="2030-01-31")),
        ("ChangeStatus", pb.ChangeStatusRequest(case=case, status=pb.STATUS_CLOSED)),
        ("ChangeResolvedReason", pb.ChangeResolvedReasonRequest(case=case, reason="cleaned up")),
        ("ArchiveCase", pb.ArchiveCaseRequest(case=case)),
        ("UnarchiveCase", pb.UnarchiveCaseRequest(case=case)),
    ]
    for method, request in steps:
        mine.call(method, request)
    now = mine.call("GetCase", pb.GetCaseRequest(case=made.case.key.lower()))

    assert made.case.version == 1
    assert made.case.description == "on db1 🔥"
    assert now.version == 1 + len(steps)
    assert (now.title, now.description, now.priority) == ("Disk nearly full", "see runbook", pb.PRIORITY_P1)
    assert (now.assignee_id, now.due_date, now.resolved_reason) == (user, "2030-01-31", "cleaned up")
    assert (now.status, now.status_name) == (pb.STATUS_CLOSED, "Closed")
    assert list(now.attributes["team"].values) == ["web"]
    assert now.HasField("closed_at")
    assert not now.HasField("archived_at")
    assert mine.call("UnassignCase", pb.UnassignCaseRequest(case=case)).case.HasField("assignee_id") is False

    entries = mine.call("ListActivity", pb.ListActivityRequest(case=case, ascending=True)).activity
    assert [entry.version for entry in entries] == list(range(1, len(steps) + 3))
    assert entries[1].kind == "case_title_changed"


def test_a_case_is_shown_as_it_was(mine: Client) -> None:
    opened = mine.create(description="on db1").case
    mine.call("ChangeTitle", pb.ChangeTitleRequest(case=opened.id, title="Disk nearly full"))
    closed = mine.call("ChangeStatus", pb.ChangeStatusRequest(case=opened.id, status=pb.STATUS_CLOSED)).case
    before = Timestamp()
    before.FromMicroseconds(opened.created_at.ToMicroseconds() - 1)

    assert mine.call("GetCase", pb.GetCaseRequest(case=opened.id, version=1)) == opened
    assert mine.call("GetCase", pb.GetCaseRequest(case=opened.key, as_of=opened.created_at)) == opened
    assert mine.call("GetCase", pb.GetCaseRequest(case=opened.key, version=2)).title == "Disk nearly full"
    assert mine.call("GetCase", pb.GetCaseRequest(case=opened.key, as_of=closed.modified_at)) == closed
    for asked, reason in (
        (pb.GetCaseRequest(case=opened.id, as_of=before), "case.not_found_then"),
        (pb.GetCaseRequest(case=opened.id, version=4), "case.version_not_found"),
        (pb.GetCaseRequest(case=opened.id, version=0), "request.parameter"),
        (pb.GetCaseRequest(case=opened.id, as_of=Timestamp(seconds=2**60)), "request.parameter"),
    ):
        assert mine.refused("GetCase", asked)[1] == reason


def test_comments_are_added_edited_and_deleted(mine: Client) -> None:
    case = mine.create().case.id
    added = mine.call("AddComment", pb.AddCommentRequest(case=case, message="on it"))
    edited = mine.call(
        "EditComment", pb.EditCommentRequest(case=case, comment_id=added.comment.id, message="on it now")
    )
    listed = mine.call("ListComments", pb.ListCommentsRequest(case=case)).comments
    mine.call("DeleteComment", pb.DeleteCommentRequest(case=case, comment_id=added.comment.id))

    assert edited.comment.id == added.comment.id
    assert [comment.message for comment in listed] == ["on it now"]
    assert mine.call("ListComments", pb.ListCommentsRequest(case=case)).comments == []


def test_a_write_is_repeatable_under_its_key_and_guarded_by_a_version(mine: Client) -> None:
    write = pb.Write(idempotency_key=str(uuid.uuid4()))
    first, again = mine.create(write=write), mine.create(write=write)
    case = first.case.id

    assert again == first
    reused = pb.CreateCaseRequest(project_id=mine.project_id, title="Another", write=write)
    assert mine.refused("CreateCase", reused) == (grpc.StatusCode.INVALID_ARGUMENT, "idempotency.key_reused")
    stale = pb.ChangeTitleRequest(case=case, title="x", write=pb.Write(expected_version=7))
    assert mine.refused("ChangeTitle", stale) == (grpc.StatusCode.ABORTED, "case.version_conflict")


def test_a_search_that_sends_a_writes_position_sees_it(mine: Client) -> None:
    word = f"w{uuid.uuid4().hex[:12]}"
    written = mine.create(title=f"Search me {word}", priority=pb.PRIORITY_P3).written
    found = mine.call("SearchCases", pb.SearchCasesRequest(filter=f"{word} priority:P3", position=written.position))
    counted = mine.call(
        "CountCases", pb.CountCasesRequest(filter=word, group_bys=["priority"], position=written.position)
    )

    assert [case.title for case in found.cases] == [f"Search me {word}"]
    assert found.total == 1
    assert [(v.value, v.count) for v in counted.groups[0].values] == [("P3", 1)]


def test_a_stream_tells_what_happens_and_goes_on_where_it_was(mine: Client) -> None:
    watching = mine.call("WatchCases", pb.WatchCasesRequest())
    ready = next(watching)
    case = mine.create(title="Watched").case
    seen = next(watching)
    while seen.change.activity.case_id != case.id:
        seen = next(watching)
    watching.cancel()
    mine.call("ChangeTitle", pb.ChangeTitleRequest(case=case.id, title="Missed"))
    again = mine.call("WatchCases", pb.WatchCasesRequest(cursor=seen.cursor))
    missed = next(again)
    again.cancel()
    unknown = mine.call("WatchCases", pb.WatchCasesRequest(cursor="nonsense"))

    assert ready.WhichOneof("what") == "ready"
    assert (seen.change.activity.kind, seen.change.case_key) == ("case_opened", case.key)
    assert (missed.change.activity.kind, missed.change.title) == ("case_title_changed", "Missed")
    assert next(unknown).resync.reason == "cursor_unknown"


def test_projects_are_made_changed_and_deleted(mine: Client) -> None:
    key = f"P{uuid.uuid4().hex[:8].upper()}"
    made = mine.call("CreateProject", projects_pb.CreateProjectRequest(key=key, name="Payments")).project
    renamed = mine.call("UpdateProject", projects_pb.UpdateProjectRequest(project_id=made.id, name="Pay")).project
    taken = projects_pb.CreateProjectRequest(key=key, name="Again")

    assert (made.key, renamed.name) == (key, "Pay")
    assert key in [p.key for p in mine.call("ListProjects", projects_pb.ListProjectsRequest()).projects]
    assert mine.refused("CreateProject", taken) == (grpc.StatusCode.ALREADY_EXISTS, "project.key_taken")
    case = mine.create(project_id=made.id).case
    assert case.key == f"{key}-1"
    mine.call("DeleteProject", projects_pb.DeleteProjectRequest(project_id=made.id))
    gone = projects_pb.GetProjectRequest(project_id=made.id)
    assert mine.refused("GetProject", gone) == (grpc.StatusCode.NOT_FOUND, "project.not_found")


@pytest.mark.parametrize(
    ("method", "request_", "reason"),
    [
        ("CreateCase", pb.CreateCaseRequest(project_id="nowhere", title="x"), "project.not_found"),
        ("ChangeStatus", pb.ChangeStatusRequest(case=str(uuid.uuid4())), "request.field_invalid"),
        ("GetCase", pb.GetCaseRequest(case="OPS-999999"), "case.not_found"),
        ("ChangeTitle", pb.ChangeTitleRequest(case=str(uuid.uuid4()), title="x"), "case.not_found"),
        ("ChangeTitle", pb.ChangeTitleRequest(case="OPS-1", title="x" * 161), "case.title_too_long"),
        ("SearchCases", pb.SearchCasesRequest(page_size=101), "request.parameter"),
        ("SearchCases", pb.SearchCasesRequest(position="here"), "request.position"),
    ],
)
def test_refusals_say_which_rule_it_was(mine: Client, method: str, request_: Any, reason: str) -> None:
    assert mine.refused(method, request_)[1] == reason


def test_keys_decide_and_a_tenant_sees_nothing_of_another(mine: Client, theirs: Client) -> None:
    case = mine.create().case
    for name in (case.id, case.key):
        for asked in ({}, {"version": 1}, {"as_of": case.created_at}):
            code, reason = theirs.refused("GetCase", pb.GetCaseRequest(case=name, **asked))
            assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "case.not_found")
        assert theirs.refused("ListActivity", pb.ListActivityRequest(case=name))[0] is grpc.StatusCode.NOT_FOUND
        assert theirs.refused("ListComments", pb.ListCommentsRequest(case=name))[0] is grpc.StatusCode.NOT_FOUND
    stranger = pb.ChangeTitleRequest(case=case.id, title="mine now")
    assert theirs.refused("ChangeTitle", stranger) == (grpc.StatusCode.NOT_FOUND, "case.not_found")

    with pytest.raises(grpc.RpcError) as missing:
        mine.queries.GetCase(pb.GetCaseRequest(case=case.id), timeout=10)
    wrong = (("dd-api-key", "x"), ("dd-application-key", "y"))
    with pytest.raises(grpc.RpcError) as unknown:
        mine.queries.GetCase(pb.GetCaseRequest(case=case.id), metadata=wrong, timeout=10)
    assert missing.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert unknown.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_the_tools_of_grpc_find_their_way(channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    services = set(ProtoReflectionDescriptorDatabase(channel).get_services())

    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert {"casestream.v1.CaseCommands", "casestream.v1.CaseQueries", "grpc.health.v1.Health"} <= services
