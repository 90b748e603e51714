"""A search view of its own for one test: an index behind an alias, positions, and the events that fill it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from elasticsearch import Elasticsearch

from schemas import codec
from sinks.base import Entry, Raw
from sinks.elasticsearch.document import document_id
from sinks.elasticsearch.writer import CaseAt, ElasticsearchCases
from streams.cases.case import STANDARD_TYPE, Case
from streams.cases.events import CaseTitleChanged
from streams.envelope import Envelope
from streams.ids import aggregate_key
from streams.outcomes import CommandRejected
from streams.text import Sealed

TENANT = "11111111-1111-4111-8111-111111111111"
CREATED = 1_767_323_045_678_901
"""2026-01-02T03:04:05.678901Z"""


class View:
    """alias: unique. url: of the real server. postgres: DSN of the sink role in a migrated database."""

    def __init__(self, url: str, postgres: str, folder: Path, alias: str) -> None:
        self.url = url
        self.postgres = postgres
        self.folder = folder
        self.alias = alias
        self.topic = f"{alias}.events"
        self.group = f"sink.{alias}"
        self.client = Elasticsearch(url, request_timeout=30)

    @contextmanager
    def sink(self, url: str = "", **options: Any) -> Iterator[ElasticsearchCases]:
        """A sink of this view; closed afterwards. url: of a proxy."""
        names = {"index": self.alias, "group": self.group, "topic": self.topic, **options}
        made = ElasticsearchCases(url or self.url, names.pop("postgres", self.postgres), **names)
        try:
            yield made
        finally:
            made.close()

    def entries(self, sink: ElasticsearchCases, records: Sequence[Raw]) -> list[Entry[CaseAt | None]]:
        return [Entry(raw, sink.decode(raw)) for raw in records]

    def feed(self, sink: ElasticsearchCases, records: Sequence[Raw]) -> None:
        """Assign the records' partitions and apply them as one batch."""
        sink.assigned(sorted({raw.partition for raw in records}))
        sink.apply(self.entries(sink, records))

    def get(self, case_id: str, tenant: str = TENANT, index: str = "") -> dict[str, Any] | None:
        """Return the document with its `_version`, whether or not it can be found yet."""
        answer = self.client.options(ignore_status=404).get(index=index or self.alias, id=document_id(tenant, case_id))
        return {**answer["_source"], "_version": answer["_version"]} if answer.get("found") else None

    def found(self, query: dict[str, Any] | None = None, **more: Any) -> list[str]:
        """Return the case ids that a search finds now, in its order."""
        hits = self.client.search(index=self.alias, query=query, size=1_000, **more)["hits"]["hits"]
        return [hit["_source"]["case_id"] for hit in hits]

    def positions(self, group: str = "") -> dict[int, tuple[int, int]]:
        """Return by partition the next offset, and the next offset to become visible."""
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT partition, next_offset, coalesce(visible_next_offset, 0) FROM projection_offset WHERE sink = %s",
                (group or self.group,),
            ).fetchall()
        return {partition: (stored, visible) for partition, stored, visible in rows}

    def await_visible(self, partition: int, next_offset: int, group: str = "", seconds: float = 10) -> None:
        """Return once everything before this position is said to be found."""
        deadline = time.monotonic() + seconds
        while self.positions(group).get(partition, (0, 0))[1] < next_offset:
            assert time.monotonic() < deadline, self.positions(group)
            time.sleep(0.01)


def case(title: str = "Disk full", **fields: Any) -> Case:
    """Return a case of its own at version 1."""
    made = Case(
        case_id=str(uuid.uuid4()),
        version=1,
        project_id="33333333-3333-4333-8333-333333333333",
        project_key="OPS",
        number=1,
        type_id=STANDARD_TYPE,
        title=Sealed.plain(title),
        created_at=CREATED,
        created_by="user:u",
    )
    return replace(made, **fields)


def at(state: Case, version: int, title: str = "") -> Case:
    return replace(state, version=version, title=Sealed.plain(title or f"title at {version}"))


def envelope(tenant: str, aggregate_id: str, version: int | None) -> Envelope:
    some = str(uuid.uuid4())
    return Envelope(
        tenant_id=tenant,
        aggregate_id=aggregate_id,
        id=some,
        version=version,
        correlation_id=some,
        source="test",
        actor="user:u",
        occurred_at=CREATED,
        recorded_at=CREATED,
    )


def event(state: Case, tenant: str = TENANT, *, version: int | None = None) -> bytes:
    """Return an event whose `after` is this state. version: of the envelope, where it is to be another."""
    body = CaseTitleChanged(title=state.title, before=state.title)
    after = codec.encode_row(state)[codec.HEADER_SIZE :]
    return codec.encode(envelope(tenant, state.case_id, version or state.version), body, after)


def rejection(case_id: str, tenant: str = TENANT) -> bytes:
    body = CommandRejected(command="cases/change_title", code="case.closed", detail="it is closed")
    return codec.encode(envelope(tenant, case_id, None), body)


def log(*values: bytes, partition: int = 0, start: int = 0, topic: str = "case.events") -> list[Raw]:
    """Return records as a partition has them from offset `start` on, each under its own key where it has one."""
    return [Raw(topic, partition, start + n, key_of(value), value, CREATED // 1_000) for n, value in enumerate(values)]


def key_of(value: bytes) -> bytes:
    try:
        told = codec.decode(value).envelope
    except codec.Undecodable:
        return b"key"
    return aggregate_key(told.tenant_id, told.aggregate_id).encode()
