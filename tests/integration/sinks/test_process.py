"""The role's process: all its loops together, on real engines, until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.runtime.settings import Settings
from schemas import codec
from sinks.loop import Hole, Loop
from sinks.postgres.project import Placed, project
from sinks.postgres.writer import PostgresViews
from sinks.process import serve
from tests.fakes.story import EVENTS, everything
from tests.migrated import Migrated

pytestmark = pytest.mark.engines

PARTITIONS = 2


class Role:
    """Loops over topics of one test, and a thread that looks at them while `serve` has the main one."""

    def __init__(self, bootstrap: str, database: Migrated) -> None:
        self.bootstrap = bootstrap
        self.database = database
        self.prefix = f"test-{uuid.uuid4().hex[:10]}."
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        new = [NewTopic(self.prefix + topic, PARTITIONS, 1) for topic in EVENTS]
        for created in self.admin.create_topics(new).values():
            created.result(30)

    def settings(self) -> Settings:
        return Settings.from_env(
            {
                "CASESTREAM_KAFKA": self.bootstrap,
                "CASESTREAM_POSTGRES_SINK": self.database.sink,
                "CASESTREAM_HEALTH_PORT": str(self.port),
            },
            needs=("kafka",),
        )

    def loops(self) -> list[Loop[Placed]]:
        made = []
        for topic in EVENTS:
            group = f"sink.{self.prefix}{topic}"
            views = PostgresViews(self.database.sink, sink=group, topic=self.prefix + topic)
            made.append(Loop(views, bootstrap=self.bootstrap, topic=self.prefix + topic, group=group))
        return made

    def serve(self, meanwhile: Callable[[], None]) -> list[BaseException]:
        """Run the role until `meanwhile` is over, then tell it to stop. Returns what went wrong in `meanwhile`."""
        wrong: list[BaseException] = []

        def look() -> None:
            try:
                self.until(lambda: self.answer("/healthz") == 200)
                meanwhile()
            except BaseException as error:  # noqa: BLE001 - looked at on the main thread
                wrong.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            serve("sink.test", self.settings(), self.loops())
        finally:
            looking.join(30)
        return wrong

    def answer(self, path: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=2).status_code
        except httpx.TransportError:
            return 0

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.02)

    def applied(self) -> int:
        ((total,),) = self.database.ask(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM projection_offset WHERE topic LIKE %s", f"{self.prefix}%"
        )
        return int(total)


@pytest.fixture
def role(kafka_bootstrap: str, migrated: Migrated) -> Role:
    migrated.empty()
    return Role(kafka_bootstrap, migrated)


def test_all_topics_become_their_views_until_it_is_told_to_stop(role: Role) -> None:
    story = everything(partitions=PARTITIONS)
    producer = Producer({"bootstrap.servers": role.bootstrap, "linger.ms": 0})
    expected: dict[str, int] = {}
    count = 0
    for topic in EVENTS:
        records = story.records(topic)
        for raw in records:
            producer.produce(role.prefix + topic, raw.value, raw.key, partition=raw.partition)
        count += len(records)
        placed = [Placed(codec.decode(r.value), topic, 1, r.partition, r.offset) for r in records]
        for table, rows in project(placed, outcomes_since=0).tables().items():
            expected[table] = expected.get(table, 0) + len(rows)
    assert producer.flush(30) == 0

    def meanwhile() -> None:
        role.until(lambda: role.applied() == count)
        role.until(lambda: role.answer("/readyz") == 200)
        assert b"sink_records_total" in httpx.get(f"http://127.0.0.1:{role.port}/metrics", timeout=5).content

    assert role.serve(meanwhile) == []
    del expected["custom_attribute"]
    assert {table: len(rows) for table, rows in role.database.rows(*expected).items()} == expected
    assert role.answer("/healthz") == 0


def test_a_loop_that_ends_by_itself_ends_the_process_with_its_error(role: Role) -> None:
    before = signal.getsignal(signal.SIGTERM)
    topic = role.prefix + EVENTS[0]
    producer = Producer({"bootstrap.servers": role.bootstrap, "transactional.id": topic})
    value = everything(partitions=PARTITIONS).records(EVENTS[0])[0].value
    producer.init_transactions(30)
    for _ in range(2):
        # The mark of each takes an offset that no reader is given.
        producer.begin_transaction()
        producer.produce(topic, value, b"key", partition=0)
        producer.commit_transaction(30)

    with pytest.raises(Hole):
        serve("sink.test", role.settings(), role.loops())

    assert signal.getsignal(signal.SIGTERM) == before
