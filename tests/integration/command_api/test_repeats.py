"""Writes that are repeated, and writes that expect a version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests.integration.command_api.public import STANDARD, created
from tests.stack import Stack

pytestmark = pytest.mark.engines


def case_body(project_id: str, title: str = "Once") -> dict[str, Any]:
    return {
        "data": {
            "type": "case",
            "attributes": {"title": title, "type_id": STANDARD},
            "relationships": {"project": {"data": {"type": "project", "id": project_id}}},
        }
    }


def of_case(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "case", "attributes": attributes}}


def test_a_create_that_is_repeated_makes_one_case(http: httpx.Client, project_id: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, second = (http.post("/api/v2/cases", json=case_body(project_id), headers=key) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["X-Command-Id"] == second.headers["X-Command-Id"]
    assert first.headers["X-Position"] == second.headers["X-Position"]
    following = http.post("/api/v2/cases", json=case_body(project_id)).json()["data"]["attributes"]["key"]
    assert int(following.partition("-")[2]) == int(first.json()["data"]["attributes"]["key"].partition("-")[2]) + 1


def test_creates_that_are_repeated_at_the_same_time_make_one_case(stack: Stack, project_id: str) -> None:
    key = str(uuid4())

    def create(_: int) -> httpx.Response:
        with stack.client() as http:
            return http.post("/api/v2/cases", json=case_body(project_id), headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(create, range(6)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1


def test_a_key_that_is_used_for_something_else_is_422(http: httpx.Client, project_id: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    http.post("/api/v2/cases", json=case_body(project_id), headers=key)
    other = http.post("/api/v2/cases", json=case_body(project_id, "Another"), headers=key)

    assert other.status_code == 422
    assert other.json()["details"][0]["code"] == "idempotency.key_reused"
    assert other.json()["details"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(http: httpx.Client, project_id: str, key: str) -> None:
    answer = http.post("/api/v2/cases", json=case_body(project_id), headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"] == "Idempotency-Key"


def test_every_write_to_a_case_may_be_repeated(http: httpx.Client, api: CaseManagementApi, project_id: str) -> None:
    case = created(api, project_id)
    user = str(uuid4())
    writes: list[tuple[str, Any]] = [
        ("title", of_case(title="Twice")),
        ("description", of_case(description="Twice")),
        ("priority", of_case(priority="P1")),
        ("assign", of_case(assignee_id=user)),
        ("unassign", of_case()),
        ("attributes", of_case(attributes={"team": ["db"]})),
        ("due_date", of_case(due_date="2027-01-01")),
        ("comment", of_case(comment="Twice")),
        ("status", of_case(status="CLOSED")),
        ("resolved_reason", of_case(security_resolved_reason="FIXED")),
        ("archive", of_case()),
        ("unarchive", of_case()),
    ]
    for path, body in writes:
        key = {"Idempotency-Key": f"{path} {uuid4()}"}
        first, second = (http.post(f"/api/v2/cases/{case.id}/{path}", json=body, headers=key) for _ in range(2))
        assert first.status_code == 200, first.text
        assert (second.status_code, second.json()) == (200, first.json())
    now = http.get(f"/api/v2/cases/{case.id}").json()["data"]["attributes"]

    assert now["version"] == 1 + len(writes)
    assert now["comment_count"] == 1


def test_a_comment_that_is_repeated_is_said_once_and_deleted_once(
    http: httpx.Client, api: CaseManagementApi, project_id: str
) -> None:
    path = f"/api/v2/cases/{created(api, project_id).id}"
    key = {"Idempotency-Key": str(uuid4())}
    cells = [
        http.post(f"{path}/comment", json=of_case(comment="Once"), headers=key).json()["data"][0] for _ in range(2)
    ]
    gone = {"Idempotency-Key": str(uuid4())}
    deleted = [http.delete(f"{path}/comment/{cells[0]['id']}", headers=gone).status_code for _ in range(2)]

    assert cells[0] == cells[1]
    assert deleted == [204, 204]


def test_a_project_is_created_and_deleted_once(http: httpx.Client) -> None:
    attributes = {"key": f"R{uuid4().hex[:8].upper()}", "name": "Repeated"}
    body = {"data": {"type": "project", "attributes": attributes}}
    made_key, gone_key = ({"Idempotency-Key": str(uuid4())} for _ in range(2))
    made = [http.post("/api/v2/cases/projects", json=body, headers=made_key) for _ in range(2)]
    path = f"/api/v2/cases/projects/{made[0].json()['data']['id']}"
    gone = [http.delete(path, headers=gone_key).status_code for _ in range(2)]

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert gone == [204, 204]
    assert http.delete(path).status_code == 404


def test_a_refusal_is_repeated_as_well(http: httpx.Client, api: CaseManagementApi, project_id: str) -> None:
    path = f"/api/v2/cases/{created(api, project_id).id}"
    key = {"Idempotency-Key": str(uuid4())}
    body = of_case(security_resolved_reason="FIXED")
    first = http.post(f"{path}/resolved_reason", json=body, headers=key)
    http.post(f"{path}/status", json=of_case(status="CLOSED"))
    second = http.post(f"{path}/resolved_reason", json=body, headers=key)

    assert first.status_code == 422
    assert (second.status_code, second.json()) == (422, first.json())


def test_a_change_of_another_version_is_409(http: httpx.Client, api: CaseManagementApi, project_id: str) -> None:
    path = f"/api/v2/cases/{created(api, project_id).id}"
    first = http.post(f"{path}/title", json=of_case(title="Mine"), headers={"If-Match": '"1"'})
    second = http.post(f"{path}/title", json=of_case(title="Yours"), headers={"If-Match": '"1"'})
    third = http.post(f"{path}/title", json=of_case(title="Yours"), headers={"If-Match": first.headers["ETag"]})

    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert second.status_code == 409
    assert second.json()["details"][0]["code"] == "case.version_conflict"
    assert (third.status_code, third.headers["ETag"]) == (200, '"3"')


def test_a_project_is_changed_at_the_version_that_is_expected(http: httpx.Client) -> None:
    attributes = {"key": f"V{uuid4().hex[:8].upper()}", "name": "Versioned"}
    made = http.post("/api/v2/cases/projects", json={"data": {"type": "project", "attributes": attributes}})
    path = f"/api/v2/cases/projects/{made.json()['data']['id']}"
    body = {"data": {"type": "project", "attributes": {"name": "Changed"}}}

    assert http.patch(path, json=body, headers={"If-Match": '"9"'}).status_code == 409
    assert http.patch(path, json=body, headers={"If-Match": made.headers["ETag"]}).status_code == 200


def test_a_version_that_is_none_is_400(http: httpx.Client, api: CaseManagementApi, project_id: str) -> None:
    path = f"/api/v2/cases/{created(api, project_id).id}/title"
    answer = http.post(path, json=of_case(title="x"), headers={"If-Match": '"new"'})

    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"] == "If-Match"
