"""A small system of its own for tests of rebuilds: topics, a migrated database, an index behind an alias, and live sinks."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from elasticsearch import Elasticsearch
from psycopg import sql
from rich.progress import Progress

from infra.cli.operate.log import Log
from infra.cli.operate.rebuild.elasticsearch_view import ElasticsearchRebuild
from infra.cli.operate.rebuild.postgres_view import PostgresRebuild
from infra.cli.operate.where import Where
from infra.runtime.kafka import PRODUCER, create_topics
from migrations.elasticsearch_runner import create, switch
from schemas.topics import TOPICS
from sinks.base import Raw
from sinks.elasticsearch.writer import ElasticsearchCases
from sinks.loop import Loop
from sinks.postgres.tables import KEYS, VIEWS
from sinks.postgres.writer import PostgresViews
from streams.topics import ALERT_EVENTS, CASE_EVENTS, CONFIG_EVENTS
from tests.migrated import Migrated

PARTITIONS = 3
SECONDS = 60.0


@dataclass
class World:
    """topics: by the name of the true topic, the one that stands for it here."""

    kafka: str
    elasticsearch: str
    database: Migrated
    name: str = field(default_factory=lambda: f"rb{uuid.uuid4().hex[:10]}")

    def __post_init__(self) -> None:
        self.topics = {t: f"{self.name}.{t}" for t in (CONFIG_EVENTS, ALERT_EVENTS, CASE_EVENTS)}
        self.groups = {topic: f"{self.name}.sink.{true}" for true, topic in self.topics.items()}
        self.alias = f"{self.name}-case"
        self.index_group = f"{self.name}.sink.index"
        self.log = Log(self.kafka)
        self.producer = Producer({**PRODUCER, "bootstrap.servers": self.kafka})
        self.search = Elasticsearch(self.elasticsearch, request_timeout=60)

    @property
    def case_events(self) -> str:
        return self.topics[CASE_EVENTS]

    def make(self) -> None:
        create_topics(
            self.kafka, {topic: TOPICS[true].config for true, topic in self.topics.items()}, partitions=PARTITIONS
        )
        create(self.elasticsearch, f"{self.alias}.first")
        switch(self.elasticsearch, f"{self.alias}.first", alias=self.alias)

    def remove(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.kafka})
        for deleted in admin.delete_topics(list(self.topics.values())).values():
            deleted.result(20)
        behind = set(self.search.indices.get_alias(name=self.alias))
        with psycopg.connect(self.database.owner) as connection:
            rows = connection.execute(
                "SELECT DISTINCT sink FROM projection_offset WHERE sink LIKE 'index.%'"
            ).fetchall()
        noted = {sink.split(".", 2)[2] for (sink,) in rows}
        for index in behind | noted:
            self.search.options(ignore_status=404).indices.delete(index=index)
        self.search.close()

    def produce(self, records: Sequence[Raw]) -> None:
        """Append these records to the topics of this world, in their partitions, and return once they are there."""
        for raw in records:
            self.producer.produce(self.topics[raw.topic], raw.value, raw.key, partition=raw.partition)
        assert self.producer.flush(20) == 0

    @contextmanager
    def sinks(self) -> Iterator[None]:
        """Run the live sinks inside the block. Raises what ended one."""
        stop = threading.Event()
        ended: list[BaseException] = []

        def feed(loop: Loop[Any]) -> None:
            try:
                loop.run(stop)
            except BaseException as error:  # noqa: BLE001 - raised again on the test's thread
                ended.append(error)

        loops: list[Loop[Any]] = [
            Loop(
                PostgresViews(self.database.sink, sink=group, topic=topic),
                bootstrap=self.kafka,
                topic=topic,
                group=group,
                batch=200,
            )
            for topic, group in self.groups.items()
        ]
        index = ElasticsearchCases(
            self.elasticsearch, self.database.sink, index=self.alias, group=self.index_group, topic=self.case_events
        )
        loops.append(Loop(index, bootstrap=self.kafka, topic=self.case_events, group=self.index_group, batch=200))
        with ExitStack() as held:
            held.callback(stop.set)
            threads = [threading.Thread(target=feed, args=(loop,), daemon=True) for loop in loops]
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                stop.set()
                for thread in threads:
                    thread.join(30)
            if ended:
                raise ended[0]

    def settled(self) -> None:
        """Return once the serving views have all that is in the log."""
        ends = {place: span.end for place, span in self.log.bounds(self.topics.values()).items()}
        deadline = time.monotonic() + SECONDS
        while True:
            with psycopg.connect(self.database.owner) as connection:
                rows = connection.execute(
                    "SELECT sink, topic, partition, next_offset FROM projection_offset WHERE starts_with(sink, %s)",
                    (f"{self.name}.sink",),
                ).fetchall()
            at = {(sink, topic, partition): n for sink, topic, partition, n in rows}
            due = {(self.groups[p.topic], *p): end for p, end in ends.items()}
            due |= {(self.index_group, *p): end for p, end in ends.items() if p.topic == self.case_events}
            if all(at.get(name, 0) >= end for name, end in due.items()):
                return
            assert time.monotonic() < deadline, (due, at)
            time.sleep(0.05)

    def postgres(self, **options: Any) -> PostgresRebuild:
        told: dict[str, Any] = {"owner": self.database.owner, "sink": self.database.sink, "groups": self.groups}
        return PostgresRebuild(**{**told, "log": self.log, "progress": Progress(disable=True), **options})

    def index(self, **options: Any) -> ElasticsearchRebuild:
        where = Where(kafka=self.kafka, postgres=self.database.sink, elasticsearch=self.elasticsearch)
        told: dict[str, Any] = {"topic": self.case_events, "group": self.index_group, "alias": self.alias}
        return ElasticsearchRebuild(
            **{"where": where, "log": self.log, "progress": Progress(disable=True), **told, **options}
        )

    def versions(self) -> dict[str, int]:
        rows = self.database.ask("SELECT state, version FROM postgres_view")
        return dict(rows)

    def dump(self, schema: str = "public") -> dict[str, bytes]:
        """Return every view of a schema as bytes, in the order of its key."""
        found: dict[str, bytes] = {}
        with psycopg.connect(self.database.sink, autocommit=True) as connection:
            connection.execute("SET TimeZone = UTC")
            for table in VIEWS:
                order = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
                query = sql.SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)").format(
                    sql.Identifier(schema, table), order
                )
                with connection.cursor() as cursor, cursor.copy(query) as copy:
                    found[table] = b"".join(bytes(part) for part in copy)
        return found

    def documents(self, index: str) -> list[tuple[str, int, Mapping[str, Any]]]:
        """Return every document of an index with its version, by id."""
        self.search.indices.refresh(index=index)
        hits = self.search.search(index=index, size=10_000, version=True, query={"match_all": {}})["hits"]["hits"]
        return sorted((hit["_id"], hit["_version"], hit["_source"]) for hit in hits)


@contextmanager
def world(kafka: str, elasticsearch: str, database: Migrated) -> Iterator[World]:
    """Give a world with empty topics; it is gone afterwards."""
    made = World(kafka, elasticsearch, database)
    made.make()
    try:
        yield made
    finally:
        made.remove()
