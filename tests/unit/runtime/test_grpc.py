"""Problems as gRPC's richer errors, and what makes two requests the same."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from command_api.rpc.asked import ask, due_date, priority, status
from infra.runtime.grpc import _code, rich
from infra.runtime.problems import Fault, Problem, problem
from schemas.proto import cases_pb2 as pb
from streams.cases.case import Priority, Status


def details(made: status_pb2.Status) -> tuple[list[error_details_pb2.ErrorInfo], list[error_details_pb2.BadRequest]]:
    infos, requests = [], []
    for detail in made.details:
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            infos.append(info)
        if detail.Unpack(request):
            requests.append(request)
    return infos, requests


def test_a_problem_carries_its_codes_and_its_fields() -> None:
    refused = Problem(
        422,
        Fault(code="case.title_too_long", detail="over the limit `title` of 160 characters", field="title"),
        Fault(code="case.other", detail="and this"),
        more={"command_id": "c"},
    )

    infos, (request,) = details(rich(refused))

    assert [(i.reason, i.domain, dict(i.metadata)) for i in infos] == [
        ("case.title_too_long", "casestream", {"command_id": "c"}),
        ("case.other", "casestream", {"command_id": "c"}),
    ]
    assert [(v.field, v.reason) for v in request.field_violations] == [("title", "case.title_too_long")]


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (problem(400, "a", "b"), grpc.StatusCode.INVALID_ARGUMENT),
        (problem(401, "a", "b"), grpc.StatusCode.UNAUTHENTICATED),
        (problem(403, "a", "b"), grpc.StatusCode.PERMISSION_DENIED),
        (problem(404, "a", "b"), grpc.StatusCode.NOT_FOUND),
        (problem(409, "case.version_conflict", "b"), grpc.StatusCode.ABORTED),
        (problem(409, "project.key_taken", "b"), grpc.StatusCode.ALREADY_EXISTS),
        (problem(422, "a", "b"), grpc.StatusCode.INVALID_ARGUMENT),
        (problem(500, "a", "b"), grpc.StatusCode.INTERNAL),
        (problem(503, "a", "b"), grpc.StatusCode.UNAVAILABLE),
        (problem(504, "a", "b"), grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_a_status_has_its_grpc_code(refused: Problem, code: grpc.StatusCode) -> None:
    assert _code(refused) is code


def test_requests_are_the_same_when_all_but_how_they_are_written_is() -> None:
    one = pb.ChangeTitleRequest(case="OPS-1", title="a", write=pb.Write(idempotency_key="k", expected_version=0))
    again = pb.ChangeTitleRequest(case="OPS-1", title="a", write=pb.Write(idempotency_key="k"))
    other = pb.ChangeTitleRequest(case="OPS-1", title="b", write=pb.Write(idempotency_key="k"))

    assert ask(one).fingerprint == ask(again).fingerprint != ask(other).fingerprint
    assert (ask(one).expected_version, ask(again).expected_version) == (0, None)
    assert ask(pb.ChangeTitleRequest()).idempotency_key is None
    assert one.write.idempotency_key == "k"


def test_enumerations_that_are_not_said_or_not_known_are_refused() -> None:
    assert status(pb.STATUS_CLOSED) is Status.CLOSED
    assert priority(pb.PRIORITY_P2) is Priority.P2
    assert priority(pb.PRIORITY_UNSPECIFIED, default=Priority.NOT_DEFINED) is Priority.NOT_DEFINED
    for refused in (lambda: status(0), lambda: status(99), lambda: priority(0), lambda: priority(99)):
        with pytest.raises(Problem):
            refused()


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "2026-02-30"])
def test_what_is_no_date_is_refused(text: str) -> None:
    assert due_date("") is None
    assert due_date("2026-03-01") == "2026-03-01"
    with pytest.raises(Problem):
        due_date(text)
