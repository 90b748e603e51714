"""Reads from Postgres: cases by id and key, lists, comments, activity, projects, alerts, receipts."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from streams.cases.case import Priority, Status
from streams.cases.commands import (
    Action,
    ArchiveCase,
    AssignCase,
    ChangePriority,
    ChangeStatus,
    DeleteComment,
    EditComment,
)
from streams.config.commands import CreateRule
from streams.config.rule import Condition, Operator, RuleKind
from streams.ids import derive
from streams.text import Sealed
from tests.integration.query_api.world import World, keys_of

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]


class Told:
    """What the story tells the first tenant."""

    def __init__(self, world: World) -> None:
        owner, story = world.owners[0], world.story
        self.cases = [
            story.open_case(owner.tenant_id, owner.project_id, f"case {n}", priority=priority)
            for n, priority in enumerate((Priority.P2, Priority.NOT_DEFINED, Priority.P1, Priority.P5, Priority.P2))
        ]
        self.archived = story.open_case(owner.tenant_id, owner.project_id, "old")
        story.change(owner.tenant_id, self.archived, ArchiveCase())
        first = self.cases[0]
        story.change(owner.tenant_id, first, AssignCase(assignee_id=owner.user_id))
        story.change(owner.tenant_id, first, ChangeStatus(status=Status.IN_PROGRESS))
        story.change(owner.tenant_id, self.cases[1], ChangeStatus(status=Status.CLOSED))
        story.change(owner.tenant_id, first, ChangePriority(priority=Priority.P3))
        self.comments = [story.comment(owner.tenant_id, first, f"comment {n}") for n in range(3)]
        story.change(
            owner.tenant_id, first, EditComment(comment_id=self.comments[0], message=Sealed.plain("comment 0, edited"))
        )
        story.change(owner.tenant_id, first, DeleteComment(comment_id=self.comments[1]))
        self.signals = {
            name: story.signal(owner.tenant_id, owner.project_id, action, key, "web down")
            for name, action, key in (
                ("folded", Action.TRIGGER, "a/b c"),
                ("dropped", Action.RESOLVE, "never opened"),
            )
        }
        noise = Condition(field="summary", operator=Operator.CONTAINS, value="noise")
        self.rule = derive(
            story.configure(
                owner.tenant_id,
                CreateRule(project_id=owner.project_id, name="quiet", kind=RuleKind.SUPPRESS, conditions=(noise,)),
            ),
            "rule",
        )
        world.tell()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(world: World) -> Told:
    return Told(world)


async def test_a_case_is_found_by_its_id_and_by_its_key_in_any_case(acme: httpx.AsyncClient, told: Told) -> None:
    answers = [await acme.get(f"/api/v2/cases/{name}") for name in (told.cases[0], "OPS-1", "ops-1")]
    assert [a.status_code for a in answers] == [200] * 3
    assert {a.json()["data"]["id"] for a in answers} == {told.cases[0]}
    case = answers[0].json()["data"]
    assert case["attributes"]["status"] == "IN_PROGRESS"
    assert case["attributes"]["comment_count"] == 2
    assert answers[0].headers["etag"] == f'"{case["attributes"]["version"]}"'


@pytest.mark.parametrize("name", ["OPS-999", "00000000-0000-4000-8000-000000000000", "x", "a%00b", "%F0%9F%94%A5"])
async def test_a_case_that_is_not_there_is_404(acme: httpx.AsyncClient, name: str) -> None:
    answer = await acme.get(f"/api/v2/cases/{name}")
    assert answer.status_code == 404
    assert answer.json()["details"][0]["code"] == "case.not_found"


async def test_the_list_holds_what_is_not_archived_the_newest_first(acme: httpx.AsyncClient, told: Told) -> None:
    answer = await acme.get("/api/v2/cases")
    listed = [case["id"] for case in answer.json()["data"]]
    assert told.archived not in listed
    assert [c for c in listed if c in told.cases] == told.cases[::-1]


@pytest.mark.parametrize(
    ("order", "asc", "expected"),
    [
        ("created_at", "true", ["OPS-1", "OPS-2", "OPS-3", "OPS-4", "OPS-5", "OPS-7"]),
        # P1, P2, P3, P5, then those without.
        ("priority", "true", ["OPS-3", "OPS-5", "OPS-1", "OPS-4", "OPS-7", "OPS-2"]),
        ("priority", "false", ["OPS-2", "OPS-7", "OPS-4", "OPS-1", "OPS-5", "OPS-3"]),
        ("status", "true", ["OPS-7", "OPS-5", "OPS-4", "OPS-3", "OPS-1", "OPS-2"]),
    ],
)
@pytest.mark.parametrize("text", ["", "project:OPS"])
@pytest.mark.usefixtures("told")
async def test_postgres_and_the_index_order_alike(
    acme: httpx.AsyncClient, order: str, asc: str, text: str, expected: list[str]
) -> None:
    given = {"sort[field]": order, "sort[asc]": asc, "filter": text}
    assert keys_of(await acme.get("/api/v2/cases", params=given)) == expected


@pytest.mark.parametrize("order", ["created_at", "priority", "status"])
@pytest.mark.parametrize("asc", ["true", "false"])
@pytest.mark.parametrize("text", ["", "project:OPS"])
@pytest.mark.usefixtures("told")
async def test_pages_by_cursor_are_the_pages_by_number(
    acme: httpx.AsyncClient, order: str, asc: str, text: str
) -> None:
    given = {"sort[field]": order, "sort[asc]": asc, "filter": text, "page[size]": "2"}
    numbered: list[list[str]] = []
    followed: list[list[str]] = []
    cursor = ""
    for number in (1, 2, 3, 4):
        numbered.append(keys_of(await acme.get("/api/v2/cases", params={**given, "page[number]": str(number)})))
        if number > 1 and not cursor:
            followed.append([])
            continue
        answer = await acme.get("/api/v2/cases", params={**given, "page[cursor]": cursor})
        followed.append(keys_of(answer))
        page = answer.json()["meta"]["page"]
        assert (page["current"], page["total"]) == (number, 3)
        cursor = page.get("next_cursor", "")
    assert [len(keys) for keys in numbered] == [2, 2, 2, 0]
    assert followed == numbered


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"page[size]": "101"}, "request.parameter"),
        ({"page[size]": "ten"}, "request.parameter"),
        ({"page[number]": "-1"}, "request.parameter"),
        ({"sort[field]": "title"}, "request.parameter"),
        ({"sort[asc]": "maybe"}, "request.parameter"),
        ({"page[number]": "101", "page[size]": "100"}, "page.beyond_window"),
        ({"page[number]": "101", "page[size]": "100", "filter": "disk"}, "page.beyond_window"),
        ({"page[cursor]": "bm9uc2Vuc2U"}, "page.cursor_unknown"),
        ({"page[cursor]": "ü"}, "page.cursor_unknown"),
        ({"page[cursor]": "W10"}, "page.cursor_unknown"),
    ],
)
async def test_a_page_that_cannot_be_is_400_and_names_the_parameter(
    acme: httpx.AsyncClient, given: dict[str, str], code: str
) -> None:
    answer = await acme.get("/api/v2/cases", params=given)
    assert answer.status_code == 400
    (detail,) = answer.json()["details"]
    assert detail["code"] == code
    assert detail["field"] in given


@pytest.mark.usefixtures("told")
async def test_a_cursor_of_another_list_is_refused(acme: httpx.AsyncClient) -> None:
    page = await acme.get("/api/v2/cases", params={"page[size]": "1"})
    cursor = page.json()["meta"]["page"]["next_cursor"]
    answer = await acme.get("/api/v2/cases", params={"page[cursor]": cursor, "filter": "other"})
    assert answer.json()["details"][0]["code"] == "page.cursor_of_another_list"


async def test_comments_come_newest_first_without_the_deleted(acme: httpx.AsyncClient, told: Told) -> None:
    answer = await acme.get("/api/v2/cases/OPS-1/timelines")
    assert [cell["id"] for cell in answer.json()["data"]] == [told.comments[2], told.comments[0]]
    edited = answer.json()["data"][1]["attributes"]
    assert edited["cell_content"]["message"] == "comment 0, edited"
    assert edited["modified_at"] > edited["created_at"]
    page = await acme.get(
        "/api/v2/cases/OPS-1/timelines", params={"page[size]": "1", "page[number]": "1", "sort[ascending]": "true"}
    )
    assert [cell["id"] for cell in page.json()["data"]] == [told.comments[2]]


async def test_activity_tells_every_change_with_actor_and_both_values(
    acme: httpx.AsyncClient, told: Told, world: World
) -> None:
    entries = (await acme.get("/api/v2/cases/OPS-1/activity")).json()["data"]
    assert [e["attributes"]["version"] for e in entries] == list(range(1, len(entries) + 1))
    assert {e["attributes"]["actor"] for e in entries} == {f"user:{world.owners[0].user_id}"}
    changes = {e["attributes"]["change"].get("field"): e["attributes"]["change"] for e in entries}
    assert changes["status"] == {"field": "status", "old": "OPEN", "new": "IN_PROGRESS"}
    assert changes["priority"] == {"field": "priority", "old": "P2", "new": "P3"}
    assert {e["relationships"]["case"]["data"]["id"] for e in entries} == {told.cases[0]}


async def test_projects_are_listed_and_found_by_id_and_key(acme: httpx.AsyncClient, world: World) -> None:
    project_id = world.owners[0].project_id
    listed = (await acme.get("/api/v2/cases/projects")).json()["data"]
    assert [p["id"] for p in listed] == [project_id]
    for name in (project_id, "ops"):
        answer = await acme.get(f"/api/v2/cases/projects/{name}")
        assert answer.json()["data"]["id"] == project_id
        assert answer.headers["etag"] == '"1"'
    assert (await acme.get("/api/v2/cases/projects/NONE")).status_code == 404


async def test_each_signal_has_its_receipt(acme: httpx.AsyncClient, told: Told) -> None:
    folded = (await acme.get(f"/api/v2/signals/{told.signals['folded']}")).json()["data"]
    assert folded["attributes"]["state"] == "folded"
    case_id = folded["relationships"]["case"]["data"]["id"]
    assert (await acme.get(f"/api/v2/cases/{case_id}")).json()["data"]["attributes"]["title"] == "web down"
    dropped = (await acme.get(f"/api/v2/signals/{told.signals['dropped']}")).json()["data"]
    assert (dropped["attributes"]["state"], dropped["attributes"]["reason"]) == ("dropped", "no_open_alert")
    assert dropped["relationships"]["case"]["data"] is None
    unknown = await acme.get("/api/v2/signals/00000000-0000-4000-8000-000000000000")
    assert unknown.json()["details"][0]["code"] == "signal.not_found"


@pytest.mark.usefixtures("told")
async def test_an_alert_is_found_whatever_its_sender_called_it(acme: httpx.AsyncClient) -> None:
    (alert,) = (await acme.get("/api/v2/alerts", params={"filter[open]": "true"})).json()["data"]
    assert alert["attributes"]["dedup_key"] == "a/b c"
    one = (await acme.get(f"/api/v2/alerts/{alert['id']}")).json()["data"]
    assert one["attributes"] == alert["attributes"]
    assert one["relationships"]["case"]["data"]["type"] == "case"
    assert (await acme.get("/api/v2/alerts", params={"filter[project]": "none"})).json()["data"] == []


async def test_rules_are_listed_and_found(acme: httpx.AsyncClient, told: Told, world: World) -> None:
    (rule,) = (await acme.get("/api/v2/alert-rules", params={"filter[project]": "OPS"})).json()["data"]
    assert rule["id"] == told.rule
    assert rule["attributes"]["conditions"] == [{"field": "summary", "operator": "contains", "value": "noise"}]
    assert rule["relationships"]["project"]["data"]["id"] == world.owners[0].project_id
    assert (await acme.get(f"/api/v2/alert-rules/{told.rule}")).json()["data"] == rule
    assert (await acme.get("/api/v2/alert-rules", params={"filter[project]": "NONE"})).status_code == 404


async def test_a_routing_key_is_never_shown(acme: httpx.AsyncClient, world: World) -> None:
    answer = await acme.get("/api/v2/routing-keys")
    (key,) = answer.json()["data"]
    assert key["attributes"]["project_key"] == "OPS"
    assert world.owners[0].routing_key not in answer.text
    assert "digest" not in answer.text
