"""No way of reading shows another tenant's things: every route is asked for them, by the tenant that has them and by
one that has not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio

from query_api.readers import Readers
from query_api.routes import READS
from streams.cases.commands import Action
from streams.config.commands import CreateRule
from streams.config.rule import Condition, Operator, RuleKind
from streams.ids import alert_id, derive, routing_hash
from tests.integration.query_api.serving import serving, stream
from tests.integration.query_api.world import World, keys_of

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]

WORD = "zanzibar"
"""Stands in everything that the first tenant has, and in nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One way of asking. path: with names in braces of what the first tenant has. body: of a POST."""

    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None


def aggregate(group: str, text: str) -> Any:
    attributes = {"query_filter": text, "group_by": {"groups": [group], "limit": 10}}
    return {"data": {"type": "aggregate", "attributes": attributes}}


C = "/api/v2/cases"
# Every read there is. A route that is added without a way of asking fails the first test.
ASKS: dict[tuple[str, str], tuple[Ask, ...]] = {
    ("GET", C): (
        Ask(path=C),
        Ask(path=C, params={"filter": WORD}),
        Ask(path=C, params={"filter": f"tenant_id:{{tenant}} OR {WORD} OR -x"}),
        Ask(path=C, params={"filter": "id:{case}"}),
        Ask(path=C, params={"filter": "project:{project}"}),
        Ask(path=C, params={"filter": "archived:true OR archived:false OR *"}),
    ),
    ("GET", f"{C}/count"): (
        Ask(path=f"{C}/count", params={"group_bys": "assignee,project_id,where,created_by", "query_filter": WORD}),
    ),
    ("POST", f"{C}/aggregate"): (Ask(path=f"{C}/aggregate", body=aggregate("where", f"{WORD} OR *")),),
    ("GET", f"{C}/facets"): (Ask(path=f"{C}/facets", params={"filter": "*"}),),
    ("GET", f"{C}/autocomplete"): (
        Ask(path=f"{C}/autocomplete", params={"q": WORD[:4]}),
        Ask(path=f"{C}/autocomplete", params={"q": ""}),
    ),
    ("GET", f"{C}/stream"): (),
    ("GET", f"{C}/projects"): (Ask(path=f"{C}/projects"),),
    ("GET", f"{C}/projects/{{project_id}}"): (
        Ask(path=f"{C}/projects/{{project}}"),
        Ask(path=f"{C}/projects/ZANZ"),
    ),
    ("GET", f"{C}/{{case_id}}"): (
        Ask(path=f"{C}/{{case}}"),
        Ask(path=f"{C}/ZANZ-1"),
        Ask(path=f"{C}/{{case}}", params={"version": "1"}),
        Ask(path=f"{C}/ZANZ-1", params={"as_of": "2999-01-01"}),
    ),
    ("GET", f"{C}/{{case_id}}/timelines"): (Ask(path=f"{C}/{{case}}/timelines"),),
    ("GET", f"{C}/{{case_id}}/activity"): (Ask(path=f"{C}/{{case}}/activity"), Ask(path=f"{C}/ZANZ-1/activity")),
    ("GET", "/api/v2/alert-rules"): (
        Ask(path="/api/v2/alert-rules"),
        Ask(path="/api/v2/alert-rules", params={"filter[project]": "{project}"}),
    ),
    ("GET", "/api/v2/alert-rules/{rule_id}"): (Ask(path="/api/v2/alert-rules/{rule}"),),
    ("GET", "/api/v2/routing-keys"): (Ask(path="/api/v2/routing-keys"),),
    ("GET", "/api/v2/alerts"): (
        Ask(path="/api/v2/alerts"),
        Ask(path="/api/v2/alerts", params={"filter[project]": "OPS"}),
    ),
    ("GET", "/api/v2/alerts/{alert_id:path}"): (Ask(path="/api/v2/alerts/{alert}"),),
    ("GET", "/api/v2/signals/{signal_id}"): (Ask(path="/api/v2/signals/{signal}"),),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theirs(world: World) -> dict[str, str]:
    """Return the ids of what the first tenant has, one of each kind."""
    owner, story = world.owners[0], world.story
    tenant_id = owner.tenant_id
    project = story.project(tenant_id, "ZANZ")
    case = story.open_case(tenant_id, project, f"{WORD} title", key="ZANZ", attributes={"where": (WORD,)})
    story.comment(tenant_id, case, f"{WORD} comment")
    noise = Condition(field="summary", operator=Operator.CONTAINS, value=WORD)
    rule = story.configure(
        tenant_id, CreateRule(project_id=project, name=WORD, kind=RuleKind.SUPPRESS, conditions=(noise,))
    )
    signal = story.signal(tenant_id, owner.project_id, Action.TRIGGER, WORD, f"{WORD} is down")
    alert = alert_id(routing_hash(f"key of {tenant_id}"), WORD)
    # So that the second tenant finds something of his own wherever he looks.
    other = world.owners[1]
    story.open_case(other.tenant_id, other.project_id, "mine")
    world.tell()
    return {
        "tenant": tenant_id,
        "project": project,
        "case": case,
        "rule": derive(rule, "rule"),
        "signal": signal,
        "alert": alert,
        "first project": owner.project_id,
        "user": owner.user_id,
    }


async def ask(client: httpx.AsyncClient, method: str, how: Ask, theirs: dict[str, str]) -> httpx.Response:
    params = {name: value.format_map(theirs) for name, value in how.params.items()}
    return await client.request(method, how.path.format_map(theirs), params=params, json=how.body)


async def test_every_route_is_asked() -> None:
    assert set(ASKS) == {(method, path) for method, path, _ in READS}
    assert [key for key, asks in ASKS.items() if not asks] == [("GET", f"{C}/stream")]


@pytest.mark.parametrize(
    ("method", "how"), [(method, how) for (method, _), asks in ASKS.items() for how in asks], ids=str
)
async def test_a_route_shows_ones_own_things_and_nobody_elses(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, theirs: dict[str, str], method: str, how: Ask
) -> None:
    owns = await ask(acme, method, how, theirs)
    assert owns.status_code == 200
    assert WORD in owns.text or any(i in owns.text for i in theirs.values()), "the test would see nothing"
    asks = await ask(globex, method, how, theirs)
    assert asks.status_code in {200, 404}
    # A refusal may repeat what was asked for.
    asked = str(asks.request.url) if asks.status_code == 404 else ""
    for name, value in {**theirs, "word": WORD}.items():
        assert value not in asks.text or value in asked, name


async def test_a_stream_shows_ones_own_things_and_nobody_elses(
    readers: Readers, world: World, theirs: dict[str, str]
) -> None:
    acme, globex = world.owners
    async with serving(readers) as url, stream(url, globex) as messages, stream(url, acme) as own:
        await anext(messages)
        await anext(own)
        world.story.comment(theirs["tenant"], theirs["case"], f"{WORD} again")
        mine = world.story.open_case(globex.tenant_id, globex.project_id, "mine too")
        world.tell(search=False)
        told = (await anext(messages)).data
        assert mine in told
        assert WORD not in told
        assert WORD in (await anext(own)).data


async def test_a_tenant_may_have_the_same_keys(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, theirs: dict[str, str]
) -> None:
    """Project keys and case keys are each tenant's own."""
    both = [(await c.get(f"{C}/OPS-1")).json()["data"]["id"] for c in (acme, globex)]
    assert len(set(both)) == 2
    assert "OPS-1" in keys_of(await globex.get(C))
    assert theirs["case"] not in both


async def test_the_keys_of_two_tenants_do_not_open_either(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, world: World
) -> None:
    mixed = {**world.owners[0].headers, "DD-APPLICATION-KEY": world.owners[1].headers["DD-APPLICATION-KEY"]}
    for client in (acme, globex):
        assert (await client.get(C, headers=mixed)).status_code == 403
