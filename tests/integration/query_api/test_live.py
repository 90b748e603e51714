"""Live streams over HTTP: what happens arrives, and whoever comes back misses nothing and sees nothing twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from hashlib import sha256
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from httpx_sse import ServerSentEvent
from redis.asyncio import Redis

from infra.engines.ports import any_free
from query_api.operations import live
from query_api.readers import Readers
from sinks.nexus.cursor import Cursor
from sinks.nexus.hub import Happened, Hub, Message, Ready, Resync, Why
from sinks.nexus.store import LiveStore
from streams.cases.case import Priority, Status
from streams.cases.commands import ChangePriority, ChangeStatus
from streams.config.commands import IssueCredential, RevokeCredential
from streams.config.project import CredentialKind
from streams.ids import derive
from streams.text import Sealed
from streams.topics import CASE_EVENTS
from tests.integration.query_api.serving import serving, stream, until
from tests.integration.query_api.world import Owner, World

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(readers: Readers) -> AsyncIterator[str]:
    async with serving(readers) as made:
        yield made


@pytest.fixture(scope="module")
def cases(world: World) -> list[str]:
    """Cases of the first tenant, in several partitions."""
    owner = world.owners[0]
    made = [world.story.open_case(owner.tenant_id, owner.project_id, f"case {n}") for n in range(8)]
    world.tell(search=False)
    return made


def change(world: World, cases: list[str], n: int) -> None:
    """Change every case once; `n` makes each time different from the last."""
    priority = (Priority.P1, Priority.P2, Priority.P3)[n % 3]
    for case_id in cases:
        world.story.change(world.owners[0].tenant_id, case_id, ChangePriority(priority=priority))
    world.tell(search=False)


async def next_named(messages: AsyncIterator[ServerSentEvent], name: str) -> ServerSentEvent:
    message = await anext(messages)
    assert message.event == name, (message.event, message.data)
    return message


async def activity_ids(world: World, tenant_id: str) -> list[tuple[str, int]]:
    """Return (case, version) of all that Postgres knows of a tenant's activity."""
    async with await psycopg.AsyncConnection.connect(world.postgres) as connection:
        await connection.execute("SELECT set_config('app.tenant', %s, true)", (tenant_id,))
        rows = await (await connection.execute("SELECT case_id, version FROM activity")).fetchall()
    return [(str(case_id), version) for case_id, version in rows]


async def test_a_change_arrives_with_the_case_as_it_is_now(url: str, world: World, cases: list[str]) -> None:
    owner = world.owners[0]
    async with stream(url, owner) as messages:
        assert (await next_named(messages, "ready")).id
        world.story.change(owner.tenant_id, cases[0], ChangeStatus(status=Status.IN_PROGRESS))
        world.tell(search=False)
        message = await next_named(messages, "activity")
    entry = json.loads(message.data)
    assert entry["attributes"]["change"] == {"field": "status", "old": "OPEN", "new": "IN_PROGRESS"}
    assert entry["attributes"]["actor"] == f"user:{owner.user_id}"
    told = {name: entry["case"][name] for name in ("id", "key", "title", "status", "version")}
    assert told == {"id": cases[0], "key": "OPS-1", "title": "case 0", "status": "IN_PROGRESS", "version": 2}


async def test_a_stream_that_is_taken_up_again_has_neither_gap_nor_repetition(
    url: str, world: World, cases: list[str]
) -> None:
    owner = world.owners[0]
    async with stream(url, owner) as messages:
        last_id = (await next_named(messages, "ready")).id
    before = await activity_ids(world, owner.tenant_id)
    seen: list[tuple[str, int]] = []
    for n, stop_after in enumerate((3, 1, 8, 12, 5)):
        # Half of it happens while nobody looks, half while the stream runs.
        change(world, cases[:4], n)
        async with stream(url, owner, last_id) as messages:
            change(world, cases[4:], n)
            got = 0
            async for message in messages:
                last_id = message.id or last_id
                if message.event == "activity":
                    entry = json.loads(message.data)
                    seen.append((entry["case"]["id"], entry["attributes"]["version"]))
                    got += 1
                if got == stop_after:
                    break
    async with stream(url, owner, last_id) as messages:
        async for message in messages:
            if message.event == "ready":
                break
            entry = json.loads(message.data)
            seen.append((entry["case"]["id"], entry["attributes"]["version"]))
    expected = set(await activity_ids(world, owner.tenant_id)) - set(before)
    assert len(expected) == 5 * len(cases)
    assert sorted(seen) == sorted(expected)
    for case_id in cases:
        versions = [version for case, version in seen if case == case_id]
        assert versions == sorted(versions)


async def test_the_last_id_may_be_a_parameter(url: str, world: World, cases: list[str]) -> None:
    async with stream(url, world.owners[0]) as messages:
        last_id = (await next_named(messages, "ready")).id
    change(world, cases[:1], 5)
    async with stream(url, world.owners[0], last_event_id=last_id) as messages:
        entry = json.loads((await next_named(messages, "activity")).data)
    assert entry["case"]["id"] == cases[0]


@pytest.mark.parametrize(
    "last_id",
    [
        "nonsense",
        "",
        Cursor(generation=99, next_offsets={0: 1}).encode(),
        Cursor(generation=1, next_offsets={0: 2**40}).encode(),
        Cursor(generation=1, next_offsets={77: 1}).encode(),
    ],
)
async def test_a_cursor_that_is_unknown_is_told_to_begin_anew(
    url: str, world: World, cases: list[str], last_id: str
) -> None:
    async with stream(url, world.owners[0], last_id or "-") as messages:
        assert json.loads((await next_named(messages, "resync")).data) == {"reason": "cursor_unknown"}
        assert [m async for m in messages] == []


async def test_each_tenant_has_a_stream_of_its_own(url: str, world: World, cases: list[str]) -> None:
    acme, globex = world.owners
    async with stream(url, globex) as messages:
        cursor = (await next_named(messages, "ready")).id
        change(world, cases, 6)
        own = world.story.open_case(globex.tenant_id, globex.project_id, "of globex")
        world.tell(search=False)
        assert json.loads((await next_named(messages, "activity")).data)["case"]["id"] == own
    # A cursor is only a place: another tenant's leads to one's own events.
    async with stream(url, globex, cursor) as messages:
        assert json.loads((await next_named(messages, "activity")).data)["case"]["id"] == own
        await next_named(messages, "ready")
    assert acme.tenant_id != globex.tenant_id


async def test_silence_is_broken_by_comments(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SILENCE_SECONDS", 0.1)
    headers = world.owners[0].headers
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=10, trust_env=False) as client,
        client.stream("GET", "/api/v2/cases/stream") as answer,
    ):
        async for line in answer.aiter_lines():
            if line == ": alive":
                break


async def test_a_stream_ends_when_its_key_is_revoked(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SILENCE_SECONDS", 0.1)
    owner = world.owners[0]
    digest = sha256(b"to be revoked").hexdigest()
    issued = world.story.configure(
        owner.tenant_id,
        IssueCredential(
            kind=CredentialKind.APPLICATION_KEY, digest=digest, owner=owner.user_id, name=Sealed.plain("test")
        ),
    )
    world.tell(search=False)
    headers = {**owner.headers, "DD-APPLICATION-KEY": "to be revoked"}
    second = Owner(tenant_id=owner.tenant_id, user_id=owner.user_id, project_id="", routing_key="", headers=headers)
    async with stream(url, second) as messages:
        await next_named(messages, "ready")
        world.story.configure(owner.tenant_id, RevokeCredential(credential_id=derive(issued, "credential")))
        world.tell(search=False)
        # A comment looks like a message without data to this client.
        assert [m.event async for m in messages if m.data] == []


async def test_keys_are_needed(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.get("/api/v2/cases/stream")).status_code == 401


async def take(messages: Any, count: int) -> list[Message]:
    async with asyncio.timeout(10):
        return [await anext(messages) for _ in range(count)]


async def test_without_redis_a_stream_is_late_and_complete(readers: Readers, world: World, cases: list[str]) -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{any_free(set())}", socket_connect_timeout=0.2) as away:
        hub = Hub(readers.db, away)
        async with aclosing(hub.stream(world.owners[0].tenant_id, None)) as messages:
            (ready,) = await take(messages, 1)
            assert isinstance(ready, Ready)
            change(world, cases, 7)
            happened = await take(messages, len(cases))
    assert {str(m.row["case_id"]) for m in happened if isinstance(m, Happened)} == set(cases)


async def test_a_client_that_is_too_slow_is_told_to_begin_anew_and_the_others_go_on(
    readers: Readers, world: World, cases: list[str]
) -> None:
    hub = Hub(readers.db, readers.services.redis, limit=10)
    tenant_id = world.owners[0].tenant_id
    async with aclosing(hub.stream(tenant_id, None)) as slow, aclosing(hub.stream(tenant_id, None)) as quick:
        await take(slow, 1)
        await take(quick, 1)
        for n in (8, 9):
            change(world, cases, n)
            happened = await take(quick, len(cases))
            assert all(isinstance(m, Happened) for m in happened)
        (last,) = await take(slow, 1)
        assert last == Resync(why=Why.OVERFLOW)
        assert [m async for m in slow] == []


async def test_nothing_is_told_beyond_what_its_sink_has_committed(
    readers: Readers, world: World, cases: list[str]
) -> None:
    """Rows beyond the position of a partition may have others before them that are not there yet."""
    tenant_id = world.owners[0].tenant_id
    bound = await LiveStore(readers.db).bound()
    places = [(p, end) for p, end in bound.next_offsets.items() if end > 0]
    behind = {p: end - 1 for p, end in places}
    async with await psycopg.AsyncConnection.connect(world.owner_dsn, autocommit=True) as connection:
        for partition, end in behind.items():
            await connection.execute(
                "INSERT INTO projection_offset (sink, topic, partition, generation, next_offset) VALUES (%s, %s, %s, 1, %s)",
                ("sink.behind", CASE_EVENTS, partition, end),
            )
        store = LiveStore(readers.db, sink="sink.behind")
        start = Cursor(generation=1)
        rows, reached = await store.events(tenant_id, start, await store.bound())
        assert all(row["offset"] < behind[row["partition"]] for row in rows)
        assert dict(reached.next_offsets) == behind
        await connection.execute(
            "UPDATE projection_offset SET next_offset = next_offset + 1 WHERE sink = %s", ("sink.behind",)
        )
        more, _ = await store.events(tenant_id, reached, await store.bound())
    everything = await activity_ids(world, tenant_id)
    assert len(rows) + len(more) == len(everything)
    assert len(more) <= len(places)


async def test_feeds_end_with_their_last_client(readers: Readers, world: World) -> None:
    hub = Hub(readers.db, readers.services.redis)
    before = {task.get_name() for task in asyncio.all_tasks()}
    async with aclosing(hub.stream(world.owners[0].tenant_id, None)) as messages:
        await take(messages, 1)
        assert "nexus-feed" in {task.get_name() for task in asyncio.all_tasks()}
    await until(lambda: not {task.get_name() for task in asyncio.all_tasks()} - before)


async def test_a_server_that_stops_ends_its_streams_at_once_and_they_go_on_elsewhere(
    world: World, cases: list[str], kafka_bootstrap: str
) -> None:
    owner = world.owners[0]
    async with world.readers(kafka_bootstrap) as stopping, serving(stopping) as url, stream(url, owner) as messages:
        last_id = (await next_named(messages, "ready")).id
        stopping.close()
        async with asyncio.timeout(5):
            assert [m.event async for m in messages] == []
        headers = {**owner.headers, "Last-Event-ID": last_id}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
            assert (await client.get("/api/v2/cases/stream")).status_code == 503
    change(world, cases[:1], 10)
    async with world.readers(kafka_bootstrap) as successor, serving(successor) as url:
        async with stream(url, owner, last_id) as messages:
            entry = json.loads((await next_named(messages, "activity")).data)
        assert entry["case"]["id"] == cases[0]
