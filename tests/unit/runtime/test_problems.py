"""Problems in the form that clients parse."""

from __future__ import annotations

import pytest
from datadog_api_client.v2.model.api_error_response import APIErrorResponse

from infra.runtime.problems import Fault, Problem, of_rejection, problem


def test_every_fault_is_a_text_and_a_detail() -> None:
    refused = Problem(
        422,
        Fault(code="case.title_too_long", detail="a title has at most 160 characters", field="data.attributes.title"),
        Fault(code="case.tags", detail="too many"),
        more={"command_id": "c"},
    )

    assert refused.to_json() == {
        "errors": ["data.attributes.title: a title has at most 160 characters", "too many"],
        "details": [
            {
                "code": "case.title_too_long",
                "detail": "a title has at most 160 characters",
                "field": "data.attributes.title",
            },
            {"code": "case.tags", "detail": "too many"},
        ],
        "command_id": "c",
    }
    assert APIErrorResponse(errors=refused.to_json()["errors"])._unparsed is False


def test_a_problem_without_faults_still_says_something() -> None:
    assert Problem(404).to_json()["errors"] == ["Not Found"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("case.not_found", 404),
        ("comment.not_found", 404),
        ("case.version_conflict", 409),
        ("project.key_taken", 409),
        ("case.not_closed", 422),
    ],
)
def test_a_rejections_status_follows_from_its_code(code: str, status: int) -> None:
    assert of_rejection(code, "why", None).status == status


def test_a_problem_reads_as_its_faults() -> None:
    assert str(problem(400, "a.b", "must be a number", field="page[size]")) == "page[size]: must be a number"
