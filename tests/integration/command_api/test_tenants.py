"""One tenant's keys open nothing of another's: what is there and what is not look the same to him."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests.integration.command_api.public import created
from tests.stack import Stack

pytestmark = pytest.mark.engines


def of_case(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "case", "attributes": attributes}}


CASE_WRITES: list[tuple[str, str, Any]] = [
    ("POST", "title", of_case(title="theirs")),
    ("POST", "description", of_case(description="theirs")),
    ("POST", "status", of_case(status="CLOSED")),
    ("POST", "priority", of_case(priority="P1")),
    ("POST", "assign", of_case(assignee_id=str(uuid4()))),
    ("POST", "unassign", of_case()),
    ("POST", "attributes", of_case(attributes={"a": ["b"]})),
    ("POST", "comment", of_case(comment="theirs")),
    ("POST", "archive", of_case()),
    ("POST", "unarchive", of_case()),
    ("POST", "due_date", of_case(due_date="2027-01-01")),
    ("POST", "resolved_reason", of_case(security_resolved_reason="x")),
]


def without_name(answer: httpx.Response, name: str) -> str:
    return answer.text.replace(name, "NAME")


@pytest.mark.parametrize(("method", "path", "body"), CASE_WRITES, ids=[path for _, path, _ in CASE_WRITES])
def test_a_foreign_case_is_as_if_it_were_not_there(
    stack: Stack, api: CaseManagementApi, project_id: str, method: str, path: str, body: Any
) -> None:
    case = created(api, project_id)
    nowhere = str(uuid4())
    with stack.client(1) as foreign:
        theirs = foreign.request(method, f"/api/v2/cases/{case.id}/{path}", json=body)
        nobodys = foreign.request(method, f"/api/v2/cases/{nowhere}/{path}", json=body)
        by_key = foreign.request(method, f"/api/v2/cases/{case.attributes.key}/{path}", json=body)

    assert (theirs.status_code, nobodys.status_code, by_key.status_code) == (404, 404, 404)
    assert without_name(theirs, case.id) == without_name(nobodys, nowhere)
    with stack.client(0) as own:
        now = own.get(f"/api/v2/cases/{case.id}").json()["data"]["attributes"]
    assert (now["version"], now["title"]) == (1, "Disk full")


def test_a_foreign_comment_is_neither_edited_nor_deleted(
    stack: Stack, api: CaseManagementApi, http: httpx.Client, project_id: str
) -> None:
    case = created(api, project_id)
    cell = http.post(f"/api/v2/cases/{case.id}/comment", json=of_case(comment="mine")).json()["data"][0]
    with stack.client(1) as foreign:
        path = f"/api/v2/cases/{case.id}/comment/{cell['id']}"
        assert foreign.put(path, json=of_case(comment="theirs")).status_code == 404
        assert foreign.delete(path).status_code == 404

    (now,) = http.get(f"/api/v2/cases/{case.id}/timelines").json()["data"]
    assert now["attributes"]["cell_content"]["message"] == "mine"


def test_a_foreign_project_takes_no_cases_and_no_changes(stack: Stack, project_id: str) -> None:
    body = of_case(title="theirs", type_id="00000000-0000-0000-0000-000000000001")
    body["data"]["relationships"] = {"project": {"data": {"type": "project", "id": project_id}}}
    renamed = {"data": {"type": "project", "attributes": {"name": "theirs"}}}
    rule = {"name": "x", "kind": "suppress", "project_id": project_id}
    with stack.client(1) as foreign:
        answers = [
            foreign.post("/api/v2/cases", json=body),
            foreign.patch(f"/api/v2/cases/projects/{project_id}", json=renamed),
            foreign.delete(f"/api/v2/cases/projects/{project_id}"),
            foreign.post("/api/v2/alert-rules", json={"data": {"type": "alert_rule", "attributes": rule}}),
            foreign.post(
                "/api/v2/routing-keys",
                json={"data": {"type": "routing_key", "attributes": {"project_id": project_id}}},
            ),
        ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert {answer.json()["details"][0]["code"] for answer in answers} == {"project.not_found"}


def test_an_idempotency_key_is_each_callers_own(stack: Stack) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    made = []
    for tenant in (0, 1):
        body = of_case(title="mine", type_id="00000000-0000-0000-0000-000000000001")
        owner = {"type": "project", "id": stack.tenants[tenant]["project_id"]}
        body["data"]["relationships"] = {"project": {"data": owner}}
        with stack.client(tenant) as own:
            made.append(own.post("/api/v2/cases", json=body, headers=key))

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["data"]["id"] != made[1].json()["data"]["id"]
