"""Accepting commands on real Kafka and Postgres: repeated, refused, pending, answered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import conninfo

from infra.runtime.auth import Caller, Gate
from infra.runtime.commands import Ask, Commands
from infra.runtime.errors import BrokerUnavailable, StoreUnavailable
from infra.runtime.kafka import KafkaCommandLog
from infra.runtime.outcomes import Outcomes
from infra.runtime.postgres import Database
from infra.runtime.problems import Problem
from migrations.runner import migrate
from schemas import codec
from streams.cases.case import Status
from streams.cases.commands import ChangeStatus

pytestmark = pytest.mark.engines

TENANT = "3c6e4b2a-0000-4000-8000-000000000001"
OTHER = "3c6e4b2a-0000-4000-8000-000000000002"
CASE = "3c6e4b2a-0000-4000-8000-00000000000c"
CALLER = Caller(tenant_id=TENANT, credential_id=str(uuid.uuid4()), actor="user:u", grant="application_key")
BODY = ChangeStatus(status=Status.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    commands: Commands
    database: Database
    topic: str
    bootstrap: str
    sink: str

    def appended(self) -> list[codec.Decoded]:
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid.uuid4().hex})
        place = TopicPartition(self.topic, 0, 0)
        _, end = reader.get_watermark_offsets(place, timeout=10)
        reader.assign([place])
        records = reader.consume(end, timeout=10) if end else []
        reader.close()
        return [codec.decode(record.value()) for record in records]

    def settle(self, command_id: str, verdict: str = "accepted", code: str | None = None, offset: int = 7) -> None:
        """Do what the Postgres sink does at the end of its transaction."""
        with psycopg.connect(self.sink) as connection:
            connection.execute(
                "INSERT INTO command_outcome VALUES (%s, %s, %s, %s, %s, NULL, %s, 2, 'case.events', 0, %s, now())",
                (TENANT, command_id, verdict, code, code and "because", CASE, offset),
            )
            connection.execute("NOTIFY casestream_outcome")


@pytest.fixture(scope="module")
def migrated(postgres_dsn: str) -> tuple[str, str]:
    """The DSNs of the application's and the sink's role."""
    app, sink = f"app_{uuid.uuid4().hex[:8]}", f"sink_{uuid.uuid4().hex[:8]}"
    migrate(postgres_dsn, app_password="a", sink_password="s", app_role=app, sink_role=sink)
    return (
        conninfo.make_conninfo(postgres_dsn, user=app, password="a"),
        conninfo.make_conninfo(postgres_dsn, user=sink, password="s"),
    )


@pytest.fixture
async def edge(migrated: tuple[str, str], kafka_bootstrap: str) -> AsyncIterator[Edge]:
    topic = f"commands.{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)], operation_timeout=30)[topic].result()
    app, sink = migrated
    async with (
        Database.open(app) as database,
        Outcomes.open(database, app) as outcomes,
        KafkaCommandLog(kafka_bootstrap) as log,
    ):
        yield Edge(
            commands=Commands(log, database, outcomes),
            database=database,
            topic=topic,
            bootstrap=kafka_bootstrap,
            sink=sink,
        )


async def appended(edge: Edge, count: int) -> list[codec.Decoded]:
    async with asyncio.timeout(10):
        while len(found := await asyncio.to_thread(edge.appended)) < count:  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(0.05)
    return found


async def test_a_command_is_appended_and_answered_by_its_outcome(edge: Edge) -> None:
    asked = asyncio.create_task(
        edge.commands.submit(CALLER, "status", Ask(), topic=edge.topic, aggregate_id=CASE, body=BODY)
    )
    (record,) = await appended(edge, 1)
    await asyncio.to_thread(edge.settle, record.envelope.id)
    submitted = await asked

    assert record.body == BODY
    assert record.envelope.tenant_id == TENANT
    assert record.envelope.actor == "user:u"
    assert record.envelope.reply_by is not None
    assert submitted.command_id == record.envelope.id
    assert (submitted.outcome.verdict, submitted.outcome.version) == ("accepted", 2)
    assert str(submitted.outcome.position) == "case.events/0:7"


async def test_a_repeated_request_is_answered_by_the_first_ones_outcome_and_appends_nothing(edge: Edge) -> None:
    ask = Ask.of("POST", "/path", b"body", idempotency_key="k-1")
    first = asyncio.create_task(
        edge.commands.submit(CALLER, "status", ask, topic=edge.topic, aggregate_id=CASE, body=BODY)
    )
    (record,) = await appended(edge, 1)
    await asyncio.to_thread(edge.settle, record.envelope.id)
    answer = await first
    again = await edge.commands.submit(CALLER, "status", ask, topic=edge.topic, aggregate_id=CASE, body=BODY)

    assert again == answer
    assert len(await asyncio.to_thread(edge.appended)) == 1


async def test_the_same_key_with_another_request_is_422(edge: Edge) -> None:
    ask = Ask.of("one", idempotency_key="k-2", seconds=0.1)
    with pytest.raises(Problem) as pending:
        await edge.commands.submit(CALLER, "status", ask, topic=edge.topic, aggregate_id=CASE, body=BODY)
    other = Ask.of("two", idempotency_key="k-2")
    with pytest.raises(Problem) as reused:
        await edge.commands.submit(CALLER, "status", other, topic=edge.topic, aggregate_id=CASE, body=BODY)

    assert pending.value.status == 504
    assert (reused.value.status, reused.value.faults[0].code) == (422, "idempotency.key_reused")


async def test_an_outcome_that_is_late_is_504_with_the_commands_id_and_the_same_key_then_finds_it(edge: Edge) -> None:
    ask = Ask.of("late", idempotency_key="k-3", seconds=0.2)
    with pytest.raises(Problem) as pending:
        await edge.commands.submit(CALLER, "status", ask, topic=edge.topic, aggregate_id=CASE, body=BODY)
    command_id = pending.value.more["command_id"]
    await asyncio.to_thread(edge.settle, command_id)
    found = await edge.commands.submit(CALLER, "status", ask, topic=edge.topic, aggregate_id=CASE, body=BODY)

    assert (pending.value.status, pending.value.faults[0].code) == (504, "command.pending")
    assert found.command_id == command_id


async def test_a_rejection_is_a_problem_with_its_code_and_the_id_of_its_command(edge: Edge) -> None:
    asked = asyncio.create_task(
        edge.commands.submit(CALLER, "status", Ask(), topic=edge.topic, aggregate_id=CASE, body=BODY)
    )
    (record,) = await appended(edge, 1)
    await asyncio.to_thread(edge.settle, record.envelope.id, "rejected", "case.not_found")

    with pytest.raises(Problem) as refused:
        await asked
    assert (refused.value.status, refused.value.faults[0].code) == (404, "case.not_found")
    assert refused.value.headers == {"X-Command-Id": record.envelope.id}


async def test_another_tenant_never_sees_the_outcome(edge: Edge) -> None:
    command_id = str(uuid.uuid4())
    await asyncio.to_thread(edge.settle, command_id)
    async with Outcomes.open(edge.database, edge.sink) as outcomes:
        assert await outcomes.get(OTHER, command_id) is None
        assert await outcomes.get(TENANT, command_id) is not None


async def test_many_wait_at_once_and_each_gets_its_own(edge: Edge) -> None:
    tasks = [
        asyncio.create_task(
            edge.commands.submit(CALLER, "status", Ask(), topic=edge.topic, aggregate_id=CASE, body=BODY)
        )
        for _ in range(50)
    ]
    records = await appended(edge, 50)
    for n, record in enumerate(records):
        await asyncio.to_thread(edge.settle, record.envelope.id, offset=n)
    answers = await asyncio.gather(*tasks)

    offsets = {record.envelope.id: n for n, record in enumerate(records)}
    assert {a.command_id: a.outcome.position.offset for a in answers} == offsets


async def test_a_broker_that_is_away_takes_nothing_and_says_so(edge: Edge, migrated: tuple[str, str]) -> None:
    async with (
        Outcomes.open(edge.database, migrated[0]) as outcomes,
        KafkaCommandLog("127.0.0.1:1", timeout=0.5) as log,
    ):
        commands = Commands(log, edge.database, outcomes)
        with pytest.raises(BrokerUnavailable):
            await commands.submit(CALLER, "status", Ask(), topic=edge.topic, aggregate_id=CASE, body=BODY)


async def test_keys_decide_the_tenant_and_a_revoked_one_is_refused_within_a_second(
    edge: Edge, migrated: tuple[str, str]
) -> None:
    api, application, foreign = (uuid.uuid4().hex for _ in range(3))
    owner = str(uuid.uuid4())
    with psycopg.connect(migrated[1]) as connection:
        for tenant, kind, key in (
            (TENANT, "api_key", api),
            (TENANT, "application_key", application),
            (OTHER, "application_key", foreign),
        ):
            connection.execute(
                "INSERT INTO credential VALUES (%s, gen_random_uuid(), 1, %s, %s, %s, '', now(), NULL)",
                (tenant, kind, sha256(key.encode()).hexdigest(), owner),
            )
    now = 0.0
    gate = Gate(edge.database, clock=lambda: now)

    async def refused(**headers: str) -> tuple[int, str]:
        with pytest.raises(Problem) as problem:
            await gate.caller({name.replace("_", "-"): value for name, value in headers.items()})
        return problem.value.status, problem.value.faults[0].code

    caller = await gate.caller({"dd-api-key": api, "dd-application-key": application})
    assert (caller.tenant_id, caller.user_id) == (TENANT, owner)
    assert await refused() == (401, "auth.key_missing")
    assert await refused(dd_api_key=api) == (401, "auth.key_missing")
    assert await refused(dd_api_key="wrong", dd_application_key=application) == (403, "auth.key_unknown")
    assert await refused(dd_api_key=application, dd_application_key=application) == (403, "auth.key_unknown")
    assert await refused(dd_api_key=api, dd_application_key=foreign) == (403, "auth.key_unknown")
    assert await refused(dd_api_key="x" * 10_000, dd_application_key="é\x00") == (403, "auth.key_unknown")

    with psycopg.connect(migrated[1]) as connection:
        connection.execute("UPDATE credential SET revoked_at = now() WHERE tenant_id = %s", (TENANT,))
    assert await gate.caller({"dd-api-key": api, "dd-application-key": application}) == caller
    now = 1.1
    assert await refused(dd_api_key=api, dd_application_key=application) == (403, "auth.key_unknown")


async def test_without_postgres_no_key_is_waved_through() -> None:
    async with Database.open("postgresql://nobody@127.0.0.1:1/none", seconds=0.5) as database:
        with pytest.raises(StoreUnavailable):
            await Gate(database).route("key")
