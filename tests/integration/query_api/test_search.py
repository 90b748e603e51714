"""Searches on the real index: the language, counts, facets, completion, and waiting for a write."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings

from infra.runtime.auth import Caller
from infra.runtime.problems import Problem
from query_api.readers import Readers, utc_now
from query_api.search.scope import scoped
from query_api.search.translate import Asker
from streams.cases.case import Priority, Status
from streams.cases.commands import (
    ArchiveCase,
    AssignCase,
    ChangeDueDate,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
)
from streams.text import Sealed
from tests.integration.query_api.world import World, client, keys_of
from tests.property.query_api.texts import texts

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def told(world: World) -> dict[str, str]:
    """Return the ids of the first tenant's cases by key. The second tenant has one with the same words."""
    owner, other, story = *world.owners, world.story
    tenant, project = owner.tenant_id, owner.project_id

    def opened(title: str, description: str = "", **fields: Any) -> str:
        return story.open_case(tenant, project, title, description=Sealed.plain(description), **fields)

    cases = {
        "OPS-1": opened("Disk full on Crème server", "the volume /var is full", priority=Priority.P1),
        "OPS-2": opened("CPU high", "full load & more", priority=Priority.P2, attributes={"Team": ("Database", "web")}),
        "OPS-3": opened("Checkout fails", attributes={"Team": ("web",), "env": ("prod eu",)}),
        "OPS-4": opened("Payment API 500", "see OPS-1"),
        "OPS-5": opened("old news"),
    }
    story.change(tenant, cases["OPS-2"], AssignCase(assignee_id=owner.user_id))
    story.change(tenant, cases["OPS-2"], ChangeDueDate(due_date="2031-02-03"))
    story.change(tenant, cases["OPS-3"], ChangeStatus(status=Status.IN_PROGRESS))
    story.change(tenant, cases["OPS-4"], ChangeStatus(status=Status.CLOSED))
    story.change(tenant, cases["OPS-4"], ChangeResolvedReason(reason=Sealed.plain("rolled back")))
    story.change(tenant, cases["OPS-5"], ArchiveCase())
    story.open_case(other.tenant_id, other.project_id, "Disk full elsewhere", attributes={"Team": ("Database",)})
    world.tell()
    return cases


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("disk", {1}),
        ("creme", {1}),
        ("full", {1, 2}),
        ('"disk full"', {1}),
        ('"full disk"', set()),
        ("dis*", {1}),
        ("CRÈ*", {1}),
        ("d?sk", {1}),
        ("load & more", {2}),
        ("OPS-1", {1, 4}),
        ("key:ops-1", {1}),
        ("key:OPS-*", {1, 2, 3, 4}),
        ("status:open", {1, 2}),
        ("status:(open OR closed)", {1, 2, 4}),
        ("status_group:in_progress", {3}),
        ('status_name:"in progress"', {3}),
        ("-status:open", {3, 4}),
        ("priority:(P1 OR P2)", {1, 2}),
        ("priority:none", {3, 4}),
        ('status:open AND (priority:P1 OR -assignee:none) "full"', {1, 2}),
        ("assignee:me", {2}),
        ("assignee:none", {1, 3, 4}),
        ("assignee:*", {2}),
        ("creator:me", {1, 2, 3, 4}),
        ("creator:nobody", set()),
        ("project:ops", {1, 2, 3, 4}),
        ("project:other", set()),
        ("type:standard", {1, 2, 3, 4}),
        ("team:database", {2}),
        ("@Team:DATA*", {2}),
        ("attributes.Team:web", {2, 3}),
        ("team:*", {2, 3}),
        ("-team:*", {1, 4}),
        ('env:"prod eu"', {3}),
        ("prod", {3}),
        ("description:volume", {1}),
        ("title:volume", set()),
        ("resolved_reason:rolled", {4}),
        ("archived:true", {5}),
        ("archived:true OR archived:false", {1, 2, 3, 4, 5}),
        ("old", set()),
        ("due:2031-02-03", {2}),
        ("due_date:>=2031", {2}),
        ("due:<2031-02-03", set()),
        ("due:none", {1, 3, 4}),
        ("closed_at:*", {4}),
        ("created_at:>=2030", {1, 2, 3, 4}),
        ("created_at:>2030", set()),
        ("created_at:[2030-01 TO 2030-12]", {1, 2, 3, 4}),
        ("created_at:<1900", set()),
        ("created_at:>now+9y", set()),
        ("number:[2 TO 3]", {2, 3}),
        ("version:>1", {2, 3, 4}),
        ("*", {1, 2, 3, 4}),
        ("elsewhere", set()),
        ("-nothing", {1, 2, 3, 4}),
    ],
)
async def test_a_search_finds(acme: httpx.AsyncClient, text: str, expected: set[int]) -> None:
    answer = await acme.get("/api/v2/cases", params={"filter": text, "page[size]": "50"})
    assert set(keys_of(answer)) == {f"OPS-{n}" for n in expected}
    assert answer.json()["meta"]["total_cases"] == len(expected)


async def test_a_query_that_cannot_be_is_400_with_position_and_rule(acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/api/v2/cases", params={"filter": "status:open AND (priority:P9)"})
    assert answer.status_code == 400
    (detail,) = answer.json()["details"]
    assert (detail["code"], detail["field"]) == ("query.value", "filter")
    assert "position 27" in detail["detail"]
    assert answer.json()["errors"] == [f"filter: {detail['detail']}"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts())
async def test_elasticsearch_takes_every_query_and_shows_no_other_tenant(world: World, text: str) -> None:
    owner = world.owners[1]
    caller = Caller(tenant_id=owner.tenant_id, credential_id="", actor=f"user:{owner.user_id}", grant="")
    try:
        query = scoped(caller, text, Asker(user_id=owner.user_id, now=utc_now()))
    except Problem:
        return
    with Elasticsearch(world.elasticsearch) as search:
        hits = search.search(index=world.alias, query=query, source={"includes": ["tenant_id"]})["hits"]["hits"]
    assert {hit["_source"]["tenant_id"] for hit in hits} <= {owner.tenant_id}


async def test_counts_are_told_by_value(acme: httpx.AsyncClient) -> None:
    given = {"group_bys": "status,priority,project,assignee,Team,type", "query_filter": "-status:closed"}
    attributes = (await acme.get("/api/v2/cases/count", params=given)).json()["data"]["attributes"]
    groups = {g["group"]: {v["value"]: v["count"] for v in g["group_values"]} for g in attributes["groups"]}
    assert attributes["total"] == 3
    assert groups["status"] == {"OPEN": 2, "IN_PROGRESS": 1}
    assert groups["priority"] == {"P1": 1, "P2": 1, "NOT_DEFINED": 1}
    assert groups["project"] == {"OPS": 3}
    assert groups["Team"] == {"web": 2, "Database": 1}
    assert groups["type"] == {"STANDARD": 3}
    assert groups["assignee"]["none"] == 2


async def test_without_groups_the_total_is_told(acme: httpx.AsyncClient) -> None:
    attributes = (await acme.get("/api/v2/cases/count")).json()["data"]["attributes"]
    assert attributes == {"total": 4, "groups": []}


async def test_a_limit_keeps_the_largest_groups(acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/api/v2/cases/count", params={"group_bys": "Team", "limit": "1"})
    assert answer.json()["data"]["attributes"]["groups"][0]["group_values"] == [{"value": "web", "count": 2}]


def aggregation(*groups: str, text: str = "", limit: int = 10) -> dict[str, Any]:
    attributes = {"query_filter": text, "group_by": {"groups": list(groups), "limit": limit}}
    return {"data": {"type": "aggregate", "attributes": attributes}}


async def test_cases_are_grouped_by_several_fields_together(acme: httpx.AsyncClient) -> None:
    answer = await acme.post("/api/v2/cases/aggregate", json=aggregation("status", "Team"))
    attributes = answer.json()["data"]["attributes"]
    assert attributes["total"] == 4
    assert {(g["group"], g["value"][0]) for g in attributes["groups"]} == {
        ("OPEN,Database", 1),
        ("OPEN,web", 1),
        ("IN_PROGRESS,web", 1),
    }


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (aggregation(), "count.too_many_groups", "data.attributes.group_by.groups"),
        (aggregation("title"), "count.group", "data.attributes.group_by.groups"),
        (aggregation("status", text="("), "query.syntax", "data.attributes.query_filter"),
        (aggregation("status", limit=0), "request.field_invalid", "data.attributes.group_by.limit"),
        (aggregation("status", limit=1_001), "request.field_invalid", "data.attributes.group_by.limit"),
        ({"data": {"type": "case"}}, "request.field_invalid", "data.type"),
        ([], "request.field_invalid", "body"),
    ],
)
async def test_an_aggregation_that_cannot_be_is_400(acme: httpx.AsyncClient, body: Any, code: str, field: str) -> None:
    answer = await acme.post("/api/v2/cases/aggregate", json=body)
    assert answer.status_code == 400
    assert (code, field) in {(d["code"], d.get("field")) for d in answer.json()["details"]}


async def test_facets_tell_the_usual_fields_and_the_attributes_there_are(acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/api/v2/cases/facets", params={"filter": "status:open"})
    groups = {g["group"]: g["group_values"] for g in answer.json()["data"]["attributes"]["groups"]}
    assert groups["priority"] == [{"value": "P1", "count": 1}, {"value": "P2", "count": 1}]
    assert {v["value"] for v in groups["attributes.Team"]} == {"web", "Database"}
    assert "attributes.env" not in groups


@pytest.mark.parametrize(
    ("typed", "expected"), [("ops-2", ["OPS-2"]), ("check", ["OPS-3"]), ("payment a", ["OPS-4"]), ("zzz", [])]
)
async def test_what_is_typed_is_completed(acme: httpx.AsyncClient, typed: str, expected: list[str]) -> None:
    assert keys_of(await acme.get("/api/v2/cases/autocomplete", params={"q": typed})) == expected


async def test_completion_takes_any_text(acme: httpx.AsyncClient) -> None:
    for typed in ("", "*", "\\", '"', "(", "💥", "a" * 512):
        assert (await acme.get("/api/v2/cases/autocomplete", params={"q": typed})).status_code == 200
    assert (await acme.get("/api/v2/cases/autocomplete", params={"q": "a" * 513})).status_code == 400


async def test_a_search_with_the_position_of_a_write_sees_it(
    acme: httpx.AsyncClient, world: World, told: dict[str, str]
) -> None:
    world.story.change(
        world.owners[0].tenant_id, told["OPS-3"], ChangeTitle(title=Sealed.plain("Checkout still fails"))
    )
    world.tell(search=False)
    position = {"X-Position": world.position(told["OPS-3"])}
    asked = asyncio.create_task(acme.get("/api/v2/cases", params={"filter": "still"}, headers=position))
    # The write is not in the index while the search waits for it.
    await asyncio.sleep(0.3)
    assert not asked.done()
    await asyncio.to_thread(world.tell)
    assert keys_of(await asked) == ["OPS-3"]


async def test_a_position_that_is_not_seen_in_time_is_504(readers: Readers, world: World) -> None:
    class Impatient(type(readers.visibility)):  # type: ignore[misc]
        async def wait(self, position: Any, seconds: float = 0.2) -> None:
            await super().wait(position, seconds)

    hurried = Impatient(readers.db, world.postgres)
    async with client(replace(readers, visibility=hurried), world.owners[0]) as api:
        answer = await api.get("/api/v2/cases?filter=disk", headers={"X-Position": "case.events/0:999999"})
    assert answer.status_code == 504
    assert answer.json()["details"][0]["code"] == "search.pending"


@pytest.mark.parametrize("position", ["config.events/0:999999", ""])
async def test_a_search_waits_for_no_other_topic(acme: httpx.AsyncClient, position: str) -> None:
    answer = await acme.get("/api/v2/cases", params={"filter": "disk"}, headers={"X-Position": position})
    assert answer.status_code == 200


async def test_a_position_that_is_none_is_400(acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/api/v2/cases", params={"filter": "disk"}, headers={"X-Position": "here"})
    assert answer.json()["details"][0]["field"] == "X-Position"


async def test_a_list_without_a_search_needs_no_index(readers: Readers, world: World) -> None:
    gone = replace(readers, index=type(readers.index)(readers.services.elasticsearch, alias="no_such_index"))
    async with client(gone, world.owners[0]) as api:
        assert len(keys_of(await api.get("/api/v2/cases"))) == 4
        away = await api.get("/api/v2/cases", params={"filter": "disk"})
    assert away.status_code == 503
    assert away.json()["details"][0]["code"] == "service.unavailable"
