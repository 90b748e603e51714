"""The stores that the suite of projection sinks runs on. A new one is a class here and a line in `STORES`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

import psycopg
import pytest
from elasticsearch import Elasticsearch

from migrations.elasticsearch_runner import create
from sinks.base import ProjectionSink
from sinks.elasticsearch.writer import ElasticsearchCases
from sinks.postgres.writer import PostgresViews
from streams.topics import CASE_EVENTS
from tests.fakes.story import START
from tests.fakes.views import MemoryTables, MemoryViews
from tests.migrated import Migrated

Cases = dict[tuple[str, str], tuple[int, bytes]]


class Store(Protocol):
    """A store with its views of case.events. keeps_positions: whether it says itself where to begin."""

    keeps_positions: bool

    def open(self) -> ProjectionSink[Any]:
        """Return a sink as a new process has it."""
        ...

    def rewind(self, partition: int, offset: int) -> None:
        """Have whoever is assigned the partition next begin at `offset`."""
        ...

    def cases(self) -> Cases:
        """Return (tenant, case) -> (version, state hash), as readers see it now."""
        ...

    def everything(self) -> Any:
        """Return all that the views hold, so that equal views give equal values."""
        ...


class MemoryStore:
    keeps_positions = True

    def __init__(self) -> None:
        self._tables = MemoryTables()

    def open(self) -> ProjectionSink[Any]:
        return MemoryViews(self._tables)

    def rewind(self, partition: int, offset: int) -> None:
        self._tables.positions[partition] = offset

    def cases(self) -> Cases:
        return {key[:2]: (row.version, row.state_hash) for key, row in self._tables.rows.get("case", {}).items()}

    def everything(self) -> Any:
        return {table: dict(sorted(rows.items())) for table, rows in sorted(self._tables.rows.items())}


class PostgresStore:
    keeps_positions = True

    def __init__(self, database: Migrated) -> None:
        self._database = database
        database.empty()

    def open(self) -> ProjectionSink[Any]:
        return PostgresViews(self._database.sink, sink="sink.test", topic=CASE_EVENTS, clock=lambda: START / 1_000_000)

    def rewind(self, partition: int, offset: int) -> None:
        with psycopg.connect(self._database.sink, autocommit=True) as connection:
            connection.execute(
                "UPDATE projection_offset SET next_offset = %s WHERE partition = %s", (offset, partition)
            )

    def cases(self) -> Cases:
        with psycopg.connect(self._database.sink, autocommit=True) as connection:
            rows = connection.execute('SELECT tenant_id, case_id, version, state_hash FROM "case"').fetchall()
        return {(str(tenant), str(case)): (version, state) for tenant, case, version, state in rows}

    def everything(self) -> Any:
        return self._database.rows()


class ElasticsearchStore:
    """Refreshes before it is read: when readers see what was written is not what the suite is about."""

    keeps_positions = True

    def __init__(self, url: str, database: Migrated, index: str) -> None:
        self._url = url
        self._database = database
        self._index = index
        self._client = Elasticsearch(url, request_timeout=30)
        database.empty()
        create(url, index)

    def open(self) -> ProjectionSink[Any]:
        return ElasticsearchCases(self._url, self._database.sink, index=self._index, group="sink.test")

    def rewind(self, partition: int, offset: int) -> None:
        self._database.ask("UPDATE projection_offset SET next_offset = %s WHERE partition = %s", offset, partition)

    def cases(self) -> Cases:
        return {
            (kept["tenant_id"], kept["case_id"]): (kept["version"], bytes.fromhex(kept["state_hash"]))
            for _, kept in self.everything().values()
        }

    def everything(self) -> Any:
        self._client.indices.refresh(index=self._index)
        hits = self._client.search(index=self._index, size=1_000, version=True)["hits"]["hits"]
        return {hit["_id"]: (hit["_version"], hit["_source"]) for hit in hits}

    def close(self) -> None:
        self._client.indices.delete(index=self._index)
        self._client.close()


@contextmanager
def memory(_request: pytest.FixtureRequest) -> Iterator[Store]:
    yield MemoryStore()


@contextmanager
def postgres(request: pytest.FixtureRequest) -> Iterator[Store]:
    database: Migrated = request.getfixturevalue("migrated")
    yield PostgresStore(database)


@contextmanager
def elasticsearch(request: pytest.FixtureRequest) -> Iterator[Store]:
    url: str = request.getfixturevalue("elasticsearch_url")
    database: Migrated = request.getfixturevalue("migrated")
    with closing(ElasticsearchStore(url, database, f"contract-{uuid.uuid4().hex}")) as store:
        yield store


STORES = (
    pytest.param(memory, id="memory"),
    pytest.param(postgres, id="postgres", marks=pytest.mark.engines),
    pytest.param(elasticsearch, id="elasticsearch", marks=pytest.mark.engines),
)
"""Each opens an empty store. Names of fixtures are asked for when they are needed, so no engine starts for the fake."""
