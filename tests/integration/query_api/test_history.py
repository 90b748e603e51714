"""A case as it was: the answer for a version or a moment is the one that was given then, to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import psycopg
import pytest
import pytest_asyncio

from query_api.readers import Readers
from streams.cases.case import Priority, Status
from streams.cases.commands import (
    Action,
    ArchiveCase,
    AssignCase,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
    UnarchiveCase,
    UnassignCase,
)
from streams.text import Sealed
from tests.integration.query_api.world import World, client

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]

CHANGES = (
    ChangeTitle(title=Sealed.plain("another title 🔥")),
    # No column of text holds a NUL.
    ChangeDescription(description=Sealed(b"a\x00b\nc")),
    ChangePriority(priority=Priority.P1),
    # In jsonb, shorter names come first, and then by bytes.
    ChangeAttributes(attributes={"zone": ("eu",), "aa": ("1", "2"), "b": ("x",), "é": ("y",), 'o"d\\d': ("",)}),
    AssignCase(assignee_id="3ab0a6b8-0a23-4d8f-9d33-0e5b7a3f3f11"),
    ChangeStatus(status=Status.OPEN),
    ChangeDueDate(due_date="2031-02-03"),
    ChangeStatus(status=Status.CLOSED),
    ChangeResolvedReason(reason=Sealed.plain("it was the disk")),
    ArchiveCase(),
    UnarchiveCase(),
    ChangeStatus(status=Status.OPEN),
    UnassignCase(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was answered while the case was at `version`."""

    version: int
    body: bytes
    etag: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    case: str
    seen: tuple[Seen, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(world: World, acme: httpx.AsyncClient) -> Told:
    """A case that an alert opened, asked for after each of its changes."""
    owner, story = world.owners[0], world.story
    seen: list[Seen] = []

    async def look(case: str) -> None:
        world.tell(search=False)
        answer = await acme.get(f"/api/v2/cases/{case}")
        assert answer.status_code == 200, answer.text
        attributes = answer.json()["data"]["attributes"]
        at = attributes["modified_at"] or attributes["created_at"]
        seen.append(Seen(version=attributes["version"], body=answer.content, etag=answer.headers["etag"], at=at))

    story.signal(owner.tenant_id, owner.project_id, Action.TRIGGER, "then/now", "the disk is full")
    world.tell()
    (found,) = (await acme.get("/api/v2/cases")).json()["data"]
    case = found["id"]
    await look(case)
    story.signal(owner.tenant_id, owner.project_id, Action.ACKNOWLEDGE, "then/now")
    await look(case)
    for change in CHANGES:
        story.change(owner.tenant_id, case, change)
        await look(case)
    story.comment(owner.tenant_id, case, "looking")
    await look(case)
    return Told(case=case, seen=tuple(seen))


async def test_each_version_is_answered_as_it_was(acme: httpx.AsyncClient, told: Told) -> None:
    versions = [then.version for then in told.seen]
    assert versions == sorted(set(versions))
    assert len(versions) == len(CHANGES) + 3
    for then in told.seen:
        for name in (told.case, "ops-1"):
            answer = await acme.get(f"/api/v2/cases/{name}", params={"version": then.version})
            assert answer.status_code == 200, answer.text
            assert answer.content == then.body, then.version
            assert answer.headers["etag"] == then.etag


async def test_a_moment_has_the_newest_version_that_had_happened_by_then(acme: httpx.AsyncClient, told: Told) -> None:
    for then, after in zip(told.seen, told.seen[1:], strict=False):
        for at in (then.at, _before(after.at)):
            answer = await acme.get(f"/api/v2/cases/{told.case}", params={"as_of": at})
            assert answer.content == then.body, (then.version, at)
    for later in ("2999-01-01", "9999-12-31T23:59:59.999999Z"):
        answer = await acme.get(f"/api/v2/cases/{told.case}", params={"as_of": later})
        assert answer.content == told.seen[-1].body


async def test_a_moment_may_be_written_in_any_zone(acme: httpx.AsyncClient, told: Told) -> None:
    then = told.seen[1]
    date, _, time = then.at.removesuffix("Z").partition("T")
    hour, _, rest = time.partition(":")
    assert int(hour) < 22
    at = f"{date}T{int(hour) + 2:02}:{rest}+02:00"
    answer = await acme.get(f"/api/v2/cases/{told.case}", params={"as_of": at})
    assert answer.content == then.body


async def test_before_it_was_opened_a_case_was_not_there(acme: httpx.AsyncClient, told: Told) -> None:
    opened = told.seen[0].at
    for at in (_before(opened), "2001-02-03", "0001-01-01T00:00:00Z"):
        answer = await acme.get(f"/api/v2/cases/{told.case}", params={"as_of": at})
        (fault,) = answer.json()["details"]
        assert (answer.status_code, fault["code"], fault["field"]) == (404, "case.not_found_then", "as_of")
        assert opened in fault["detail"]


async def test_a_version_that_has_not_come_says_how_far_the_case_is(acme: httpx.AsyncClient, told: Told) -> None:
    newest = told.seen[-1].version
    answer = await acme.get(f"/api/v2/cases/{told.case}", params={"version": newest + 1})
    (fault,) = answer.json()["details"]
    assert (answer.status_code, fault["code"]) == (404, "case.version_not_found")
    assert f"version {newest};" in fault["detail"]


@pytest.mark.parametrize(
    "given",
    [
        {"version": "0"},
        {"version": "-1"},
        {"version": "one"},
        {"version": "99999999999999"},
        {"as_of": "yesterday"},
        {"as_of": "2026-13-01"},
        {"as_of": "2026-01-01T00:00:00 02:00"},
        {"as_of": "now", "version": "1"},
    ],
    ids=str,
)
async def test_a_time_that_cannot_be_is_400_and_named(
    acme: httpx.AsyncClient, told: Told, given: dict[str, str]
) -> None:
    answer = await acme.get(f"/api/v2/cases/{told.case}", params=given)
    (fault,) = answer.json()["details"]
    assert (answer.status_code, fault["code"], fault["field"]) == (400, "request.parameter", next(iter(given)))


async def test_a_case_that_is_not_there_never_was(acme: httpx.AsyncClient) -> None:
    for given in ({"version": 1}, {"as_of": "now"}):
        answer = await acme.get("/api/v2/cases/OPS-999", params=given)
        assert (answer.status_code, answer.json()["details"][0]["code"]) == (404, "case.not_found")


async def test_what_a_view_does_not_keep_is_not_made_up(world: World, readers: Readers) -> None:
    """As after an update from a release that kept no histories."""
    owner, story = world.owners[1], world.story
    case = story.open_case(owner.tenant_id, owner.project_id, "older than histories")
    story.change(owner.tenant_id, case, ChangePriority(priority=Priority.P1))
    world.tell(search=False)
    with psycopg.connect(world.owner_dsn, autocommit=True) as connection:
        connection.execute("SET row_security = off")
        connection.execute("ALTER TABLE case_version NO FORCE ROW LEVEL SECURITY")
        connection.execute("DELETE FROM case_version WHERE case_id = %s AND version = 1", (case,))
        connection.execute("ALTER TABLE case_version FORCE ROW LEVEL SECURITY")
    async with client(readers, owner) as globex:
        kept = await globex.get(f"/api/v2/cases/{case}", params={"version": 2})
        opened = (await globex.get(f"/api/v2/cases/{case}")).json()["data"]["attributes"]["created_at"]
        assert kept.status_code == 200
        for given in ({"version": "1"}, {"as_of": opened}):
            answer = await globex.get(f"/api/v2/cases/{case}", params=given)
            assert (answer.status_code, answer.json()["details"][0]["code"]) == (404, "case.not_kept")


def _before(at: str) -> str:
    """Return the microsecond before a time that the API wrote."""
    moment = datetime.fromisoformat(at) - timedelta(microseconds=1)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
