"""Bad input: each refusal with its status, code, field and limit, and nothing done."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests.integration.command_api.public import STANDARD, created
from tests.stack import Stack

pytestmark = pytest.mark.engines


def case_body(project_id: str, *, relationships: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    owner = {"project": {"data": {"type": "project", "id": project_id}}}
    return {
        "data": {
            "type": "case",
            "attributes": {"title": "Disk full", "type_id": STANDARD, **attributes},
            "relationships": {**owner, **(relationships or {})},
        }
    }


def post(http: httpx.Client, body: Any, path: str = "/api/v2/cases", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.post(path, content=content, headers={"Content-Type": "application/json", **headers})


def first(answer: httpx.Response) -> tuple[int, str, str | None]:
    document = answer.json()
    assert len(document["errors"]) == len(document["details"])
    detail = document["details"][0]
    return answer.status_code, detail["code"], detail.get("field")


@pytest.mark.parametrize("body", [b"", b"{", b'{"data": \xff}', b'{"data": "\\ud800"}', b"nonsense"])
def test_what_is_no_json_is_400(http: httpx.Client, body: bytes) -> None:
    assert first(post(http, body))[:2] == (400, "request.not_json")


@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_a_body_that_is_nested_without_end_is_400(http: httpx.Client, depth: int) -> None:
    body = b'{"data": {"type": "case", "meta": ' + b"[" * depth + b"]" * depth + b"}}"

    assert post(http, body, f"/api/v2/cases/{uuid4()}/archive").status_code == 400


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"title": 7}, (400, "request.field_invalid", "data.attributes.title")),
        ({"title": ""}, (400, "case.title_missing", "data.attributes.title")),
        ({"title": "\u0000\u0007"}, (400, "case.title_missing", "data.attributes.title")),
        ({"title": "x" * 161}, (422, "case.title_too_long", "data.attributes.title")),
        ({"description": "x" * 30_001}, (422, "case.description_too_long", "data.attributes.description")),
        ({"priority": "P9"}, (400, "request.field_invalid", "data.attributes.priority")),
        ({"status_name": "Parked"}, (400, "case.status_unknown", "data.attributes.status_name")),
        ({"colour": "red"}, (400, "request.field_unknown", "data.attributes.colour")),
        ({"type_id": str(uuid4())}, (404, "type.not_found", "data.attributes.type_id")),
        ({"type_id": "STANDARD"}, (404, "type.not_found", "data.attributes.type_id")),
        (
            {"custom_attributes": {"team": {"type": "TEXT", "is_multi": False, "value": "db"}}},
            (404, "custom_attribute.not_found", "data.attributes.custom_attributes.team"),
        ),
    ],
)
def test_a_case_that_may_not_be_is_refused(
    http: httpx.Client, project_id: str, attributes: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert first(post(http, case_body(project_id, **attributes))) == expected


def test_a_limit_is_named_and_what_is_at_it_passes(http: httpx.Client, project_id: str) -> None:
    over = post(http, case_body(project_id, title="é" * 161))
    at = post(http, case_body(project_id, title="é" * 160, description="💥" * 30_000))

    assert "limit `title` of 160" in over.json()["errors"][0]
    assert at.status_code == 201
    assert at.json()["data"]["attributes"]["title"] == "é" * 160


@pytest.mark.parametrize("project", [str(uuid4()), "NONE", "x\u0000"])
def test_a_case_of_a_project_that_is_not_there_is_404(http: httpx.Client, project: str) -> None:
    answer = first(post(http, case_body(project)))

    assert answer == (404, "project.not_found", "data.relationships.project.data.id")


def test_more_than_200_attributes_are_refused(http: httpx.Client, api: CaseManagementApi, project_id: str) -> None:
    case = created(api, project_id)

    def tagged(count: int) -> httpx.Response:
        attributes = {"attributes": {"host": [f"h{n}" for n in range(count)]}}
        body = {"data": {"type": "case", "attributes": attributes}}
        return post(http, body, f"/api/v2/cases/{case.id}/attributes")

    assert first(tagged(201)) == (422, "case.too_many_tags", "data.attributes.attributes")
    assert tagged(200).status_code == 200


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "streamed"])
def test_a_body_over_1_mb_is_413(http: httpx.Client, *, declared: bool) -> None:
    body = b'{"data": "' + b"x" * 1_000_000 + b'"}'
    try:
        answer = (
            post(http, body) if declared else http.post("/api/v2/cases", content=iter([body[:500_000], body[500_000:]]))
        )
    except httpx.RemoteProtocolError:
        pytest.fail("the connection ended without an answer")

    assert first(answer)[:2] == (413, "request.too_large")
    assert "1000000 bytes" in answer.json()["errors"][0]


def test_control_characters_go_and_emoji_stay(http: httpx.Client, project_id: str) -> None:
    answer = post(http, case_body(project_id, title="a\u0000b\u202ec \n👩‍🚒 d", description="x\u0007\r\ny\t🔥"))
    attributes = answer.json()["data"]["attributes"]

    assert attributes["title"] == "abc  👩‍🚒 d"
    assert attributes["description"] == "x\ny\t🔥"


def test_a_tenant_that_a_request_names_is_ignored(http: httpx.Client, stack: Stack, project_id: str) -> None:
    other = stack.tenants[1]["tenant_id"]
    body = case_body(project_id, tenant_id=other)
    body["tenant_id"] = other
    body["data"]["tenant_id"] = other
    made = post(http, body, f"/api/v2/cases?tenant_id={other}", **{"X-Tenant-Id": other})
    case_id = made.json()["data"]["id"]

    assert made.status_code == 201
    assert http.get(f"/api/v2/cases/{case_id}").status_code == 200
    with stack.client(1) as foreign:
        assert foreign.get(f"/api/v2/cases/{case_id}").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"DD-API-KEY": "x"}, 401),
        ({"DD-API-KEY": "x", "DD-APPLICATION-KEY": "y"}, 403),
        ({"DD-API-KEY": "\u00e9" * 300, "DD-APPLICATION-KEY": "y"}, 403),
    ],
)
def test_who_has_no_keys_gets_nowhere(stack: Stack, project_id: str, headers: dict[str, str], status: int) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = httpx.post(
        f"{stack.http}/api/v2/cases", headers=raw, content=json.dumps(case_body(project_id)), trust_env=False
    )

    assert answer.status_code == status
    assert answer.json()["errors"]


def test_keys_of_two_tenants_do_not_fit(stack: Stack, project_id: str) -> None:
    mixed = {**stack.keys(0), "DD-APPLICATION-KEY": stack.tenants[1]["application_key"]}
    swapped = {"DD-API-KEY": stack.tenants[0]["application_key"], "DD-APPLICATION-KEY": stack.tenants[0]["api_key"]}
    for keys in (mixed, swapped):
        answer = httpx.post(f"{stack.http}/api/v2/cases", headers=keys, json=case_body(project_id), trust_env=False)
        assert answer.status_code == 403


def test_a_method_that_is_not_there_is_405_and_a_path_404(http: httpx.Client) -> None:
    assert http.put("/api/v2/cases/projects").status_code == 405
    assert http.post("/api/v2/nothing").status_code == 404
