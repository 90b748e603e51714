"""A log of many case events, and views that stand at its end with nothing in them, as after a loss: what a rebuild begins with."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

import psycopg
from confluent_kafka.admin import AdminClient
from elasticsearch import Elasticsearch
from psycopg import conninfo

from infra.runtime.kafka import create_topics
from migrations.elasticsearch_runner import create, switch
from migrations.runner import migrate
from schemas.topics import GENERATION
from tests.bench.field import PARTITIONS, Field
from tests.bench.story import Stories
from tests.engines import database
from tests.produce import produce

TOGETHER: Final = 4_000
"""So many cases live at the same time: between two events of one case lie those of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What the programs are told that rebuild them, as their arguments: everything has names of its own."""

    owner: str
    sink: str
    elasticsearch: str
    kafka: str
    topic: str
    group: str
    alias: str


@contextmanager
def event_log(field: Field, size: int, tell: Callable[[int], None]) -> Iterator[Views]:
    """Give a log of `size` case events, gone afterwards, with a database and an index behind an alias."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    topic = f"{name}.case.events"
    url = field.prepared.env["CASESTREAM_ELASTICSEARCH"]
    create_topics(field.kafka, {topic: {}}, partitions=PARTITIONS)
    _fill(field, topic, size, tell)
    with database(field.owner) as owner:
        sink = _migrated(field, owner)
        group = f"{name}.sink"
        ends = field.ends_of(topic)
        with psycopg.connect(owner, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO projection_offset (sink, topic, partition, generation, next_offset) VALUES (%s, %s, %s, %s, %s)",
                [(group, topic, partition, GENERATION, end) for partition, end in enumerate(ends)],
            )
        create(url, f"{name}.first")
        switch(url, f"{name}.first", alias=name)
        try:
            yield Views(
                owner=owner,
                sink=sink,
                elasticsearch=url,
                kafka=field.kafka,
                topic=topic,
                group=group,
                alias=name,
            )
        finally:
            _delete_indices(url, name, owner)
            admin = AdminClient({"bootstrap.servers": field.kafka, "log_level": 3})
            for deleted in admin.delete_topics([topic], operation_timeout=30).values():
                deleted.result(30)


def _fill(field: Field, topic: str, size: int, tell: Callable[[int], None]) -> None:
    producer = field.producer()
    for n, (key, event) in enumerate(islice(_events(Stories(topic)), size)):
        produce(producer, topic, key, event)
        if n % 1_000 == 0:
            tell(n)
    assert producer.flush(120) == 0
    tell(size)


def _events(stories: Stories) -> Iterator[tuple[bytes, bytes]]:
    """Give the events of ever more cases: first those that open some, then what happened to each of them next."""
    first = 0
    while True:
        lives = list(stories.lives(range(first, first + TOGETHER)))
        for step in range(len(lives[0].events)):
            yield from ((life.key, life.events[step]) for life in lives)
        first += TOGETHER


def _migrated(field: Field, owner: str) -> str:
    """Bring a new database to the newest schema, and return the DSN of the sink role. Roles are the server's."""
    app, sink = (_parts(dsn) for dsn in (field.prepared.postgres_app, field.prepared.env["CASESTREAM_POSTGRES_SINK"]))
    migrate(owner, app_password=app["password"], sink_password=sink["password"])
    return conninfo.make_conninfo(owner, user=sink["user"], password=sink["password"])


def _parts(dsn: str) -> Mapping[str, str]:
    return {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items()}


def _delete_indices(url: str, alias: str, owner: str) -> None:
    with psycopg.connect(owner) as connection:
        noted = connection.execute("SELECT DISTINCT sink FROM projection_offset WHERE sink LIKE 'index.%'").fetchall()
    with Elasticsearch(url, request_timeout=60) as client:
        behind = set(client.indices.get_alias(name=alias))
        for index in behind | {sink.split(".", 2)[2] for (sink,) in noted}:
            client.options(ignore_status=404).indices.delete(index=index)
