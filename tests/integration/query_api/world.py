"""Two tenants with cases, alerts and configuration in real views, and the query API over them in this process."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
from elasticsearch import Elasticsearch
from psycopg import conninfo
from starlette.applications import Starlette
from starlette.middleware import Middleware

from infra.engines import Engines
from infra.runtime.http import EXCEPTION_HANDLERS, RequestContext
from infra.runtime.services import Services
from infra.runtime.settings import Settings
from migrations import elasticsearch_runner, runner
from migrations.roles import APP_ROLE, SINK_ROLE
from query_api.readers import Readers
from query_api.routes import routes
from sinks.base import ProjectionSink
from sinks.elasticsearch.writer import ElasticsearchCases
from sinks.postgres.live import Live
from sinks.postgres.main import GROUPS
from sinks.postgres.writer import PostgresViews
from streams import topics as t
from streams.config.commands import BindRoutingKey, IssueCredential, RegisterTenant
from streams.config.project import CredentialKind, TenantKind
from streams.ids import derive
from streams.text import Sealed
from tests.fakes.story import Story, entries
from tests.passwords import APP_PASSWORD, SINK_PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A tenant as a test sees it. user_id: whom his application key acts for."""

    tenant_id: str
    user_id: str
    project_id: str
    routing_key: str
    headers: dict[str, str]


class World:
    """What was told to the story is in the views after `tell`. `positions` is how far the events topics were applied."""

    def __init__(self, postgres: str, elasticsearch: str, redis: str, alias: str) -> None:
        self.story = Story(seed=alias)
        self.alias = alias
        self.postgres = conninfo.make_conninfo(postgres, user=APP_ROLE, password=APP_PASSWORD)
        self.owner_dsn = postgres
        self.elasticsearch = elasticsearch
        self.redis = redis
        sink_dsn = conninfo.make_conninfo(postgres, user=SINK_ROLE, password=SINK_PASSWORD)
        self._live = Live(redis)
        self.search = ElasticsearchCases(elasticsearch, sink_dsn, index=alias, refresh=0.1)
        self.views: dict[str, PostgresViews] = {
            topic: PostgresViews(sink_dsn, sink=group, topic=topic, live=self._live) for topic, group in GROUPS.items()
        }
        partitions = range(self.story.driver.partitions)
        self._told = {(topic, p): 0 for topic in self.views for p in partitions}
        self._searched = dict.fromkeys(partitions, 0)
        for view in self._all():
            view.assigned(partitions)
        self.owners = [self._owner(name) for name in ("acme", "globex")]
        self.tell()

    def _owner(self, name: str) -> Owner:
        story, tenant_id = self.story, self.story.tenant(name)
        keys = {kind: f"{kind.value}-{uuid.uuid4()}" for kind in CredentialKind}
        routing_key = f"routing-{uuid.uuid4()}"
        user_id = derive(tenant_id, "user")
        story.configure(tenant_id, RegisterTenant(name=Sealed.plain(name), kind=TenantKind.ONCALL))
        for kind, key in keys.items():
            digest = sha256(key.encode()).hexdigest()
            name_of = Sealed.plain("test")
            story.configure(tenant_id, IssueCredential(kind=kind, digest=digest, owner=user_id, name=name_of))
        project_id = story.project(tenant_id)
        digest = sha256(routing_key.encode()).hexdigest()
        story.configure(tenant_id, BindRoutingKey(digest=digest, project_id=project_id))
        headers = {
            "DD-API-KEY": keys[CredentialKind.API_KEY],
            "DD-APPLICATION-KEY": keys[CredentialKind.APPLICATION_KEY],
        }
        return Owner(
            tenant_id=tenant_id, user_id=user_id, project_id=project_id, routing_key=routing_key, headers=headers
        )

    def tell(self, *, search: bool = True) -> None:
        """Apply what the stages wrote since the last time, and return when it is found. search: else only in Postgres."""
        for topic, view in self.views.items():
            self._apply(view, topic)
        if not search:
            return
        fresh = [r for r in self.story.records(t.CASE_EVENTS) if r.offset >= self._searched[r.partition]]
        if fresh:
            self.search.apply(entries(self.search, fresh))
        for raw in fresh:
            self._searched[raw.partition] = raw.offset + 1
        with Elasticsearch(self.elasticsearch) as client:
            client.indices.refresh(index=self.alias)

    def position(self, case_id: str) -> str:
        """Return the X-Position of a case's newest event."""
        found = [r for r in self.story.records(t.CASE_EVENTS) if r.key is not None and case_id in r.key.decode()]
        return f"{t.CASE_EVENTS}/{found[-1].partition}:{found[-1].offset}"

    def _apply(self, view: ProjectionSink[Any], topic: str) -> None:
        fresh = [r for r in self.story.records(topic) if r.offset >= self._told[topic, r.partition]]
        if fresh:
            view.apply(entries(view, fresh))
        for raw in fresh:
            self._told[topic, raw.partition] = raw.offset + 1

    def _all(self) -> list[ProjectionSink[Any]]:
        return [*self.views.values(), self.search]

    def close(self) -> None:
        for view in self._all():
            view.close()
        self._live.close()

    @asynccontextmanager
    async def readers(self, kafka: str) -> AsyncIterator[Readers]:
        """The services and readers of an API process."""
        settings = Settings.from_env(
            {
                "CASESTREAM_KAFKA": kafka,
                "CASESTREAM_POSTGRES": self.postgres,
                "CASESTREAM_ELASTICSEARCH": self.elasticsearch,
                "CASESTREAM_REDIS": self.redis,
            }
        )
        async with Services.open(settings) as services:
            yield Readers.of(services, alias=self.alias)


@contextmanager
def world(engines: Engines, postgres_dsn: str) -> Iterator[World]:
    """A world in an empty database, and an index of its own."""
    alias = f"query_{uuid.uuid4().hex[:12]}"
    folder = Path(tempfile.mkdtemp(prefix="casestream-test-"))
    url = engines.addresses.elasticsearch
    mapping = files("migrations") / "elasticsearch" / "case.v1.json"
    (folder / f"{alias}.v1.json").write_bytes(mapping.read_bytes())
    runner.migrate(postgres_dsn, app_password=APP_PASSWORD, sink_password=SINK_PASSWORD)
    elasticsearch_runner.migrate(url, folder=folder)
    made = World(postgres_dsn, url, engines.addresses.redis, alias)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)
        with Elasticsearch(url) as client:
            client.indices.delete(index=f"{alias}.v1")


def app(readers: Readers) -> Starlette:
    return Starlette(
        routes=routes(readers.services, readers),
        middleware=[Middleware(RequestContext)],
        exception_handlers=EXCEPTION_HANDLERS,
    )


def client(readers: Readers, owner: Owner) -> httpx.AsyncClient:
    """A client of the API in this process, with a tenant's keys."""
    transport = httpx.ASGITransport(app=app(readers), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://query", headers=owner.headers)


def keys_of(answer: httpx.Response) -> list[str]:
    """Return the keys of the cases that an answer holds, in its order."""
    assert answer.status_code == 200, answer.text
    return [case["attributes"]["key"] for case in answer.json()["data"]]
