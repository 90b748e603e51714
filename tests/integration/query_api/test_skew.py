"""Clocks that are years off, and times that no calendar has: everything is shown, sorted, paged and searched all the same."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from streams.cases.case import Status
from streams.cases.commands import ChangeStatus
from tests.integration.query_api.world import World, keys_of

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]

YEAR = 365 * 24 * 3600 * 1_000_000
NOW = 1_900_000_000_000_000
TIMES = [-(2**63), -500 * YEAR, -1, 0, NOW - 30 * YEAR, NOW, NOW + 30 * YEAR, 500 * YEAR, 2**63 - 1]
"""In their order: before all years, before 1970, before the index can tell, now, later than it can, after all years."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def cases(world: World) -> list[str]:
    """Keys of cases, each opened at one of the times and changed at the opposite one, in the order of their opening."""
    owner, story = world.owners[0], world.story
    # Not told in the order of the times.
    order = sorted(range(len(TIMES)), key=lambda n: n * 5 % len(TIMES))
    keys = {}
    for number, n in enumerate(order, 1):
        story.clock = TIMES[n]
        case_id = story.open_case(owner.tenant_id, owner.project_id, f"skewed {n}")
        story.clock = TIMES[-1 - n]
        story.comment(owner.tenant_id, case_id, "what time is it?")
        story.change(owner.tenant_id, case_id, ChangeStatus(status=Status.CLOSED))
        keys[n] = f"OPS-{number}"
    story.clock = None
    world.tell()
    return [keys[n] for n in range(len(TIMES))]


@pytest.mark.parametrize("text", ["", "skewed"])
@pytest.mark.parametrize("ascending", ["true", "false"])
async def test_pages_by_time_have_every_case_once_and_in_order(
    acme: httpx.AsyncClient, cases: list[str], text: str, ascending: str
) -> None:
    """Where a filter is given it is the index that answers, whose times begin in 1970 and end in 2262."""
    given = {"sort[field]": "created_at", "sort[asc]": ascending, "page[size]": "2", "filter": text}
    found: list[str] = []
    cursor = ""
    while True:
        answer = await acme.get("/api/v2/cases", params={**given, **({"page[cursor]": cursor} if cursor else {})})
        found += keys_of(answer)
        cursor = answer.json()["meta"]["page"].get("next_cursor", "")
        if not cursor:
            break
    expected = cases if ascending == "true" else cases[::-1]
    assert sorted(found) == sorted(expected)
    same = ({*cases[:4]}, {*cases[-2:]}) if text else ()
    assert [_group(key, same) for key in found] == [_group(key, same) for key in expected]


def _group(key: str, same: tuple[set[str], ...]) -> str:
    """Cases whose times the index holds as one and the same have no order among themselves."""
    return next((min(group) for group in same if key in group), key)


async def test_each_case_is_shown_with_its_story(acme: httpx.AsyncClient, cases: list[str]) -> None:
    for key in cases:
        shown = (await acme.get(f"/api/v2/cases/{key}")).json()["data"]["attributes"]
        assert shown["status"] == "CLOSED"
        assert shown["created_at"][:1].isdecimal()
        timeline = await acme.get(f"/api/v2/cases/{key}/timelines")
        activity = await acme.get(f"/api/v2/cases/{key}/activity")
        assert timeline.status_code == activity.status_code == 200, (timeline.text, activity.text)
        assert len(activity.json()["data"]) == 3
        first = await acme.get(f"/api/v2/cases/{key}", params={"version": "1"})
        assert first.json()["data"]["attributes"]["status"] == "OPEN"


async def test_a_case_as_of_a_moment_is_what_its_times_say(acme: httpx.AsyncClient, cases: list[str]) -> None:
    """Nothing is before it was opened; of what is later in the log, an earlier time counts as well."""
    moment = "2030-01-01T00:00:00Z"
    for n, key in enumerate(cases):
        answer = await acme.get(f"/api/v2/cases/{key}", params={"as_of": moment})
        if TIMES[n] >= NOW:
            assert answer.status_code == 404, (n, answer.text)
        else:
            assert answer.status_code == 200, (n, answer.text)
            status = "CLOSED" if TIMES[-1 - n] < NOW else "OPEN"
            assert answer.json()["data"]["attributes"]["status"] == status
