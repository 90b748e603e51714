"""Views of the cases, as they are read to be compared: every case's version and state hash."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, Protocol

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.truth import Name, State

PAGE: Final = 5_000

# Whether row-level security leaves this role anything out.
_SEES_ALL: Final = """
SELECT NOT row_security_active('"case"') OR EXISTS (
  SELECT 1 FROM pg_policies p, unnest(p.roles) role
  WHERE p.tablename = 'case' AND p.qual = 'true' AND (role = 'public' OR pg_has_role(current_user, role, 'USAGE'))
)
"""


class View(Protocol):
    """group: the sink that fills it, whose stored positions say how far it is."""

    group: str

    def states(self, among: Collection[Name] | None = None) -> Iterator[tuple[Name, State]]:
        """Return all cases, or those of `among` that the view has."""
        ...


class PostgresView:
    """Table `case`. dsn: of a role that reads all tenants; Problem where it is not: its cases would seem to be missing."""

    group = "sink.postgres.case"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def states(self, among: Collection[Name] | None = None) -> Iterator[tuple[Name, State]]:
        import psycopg

        asked = 'SELECT tenant_id::text, case_id::text, version, state_hash FROM "case"'
        given: list[Any] = []
        if among is not None:
            asked += " WHERE (tenant_id, case_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))"
            given = [[name.tenant_id for name in among], [name.case_id for name in among]]
        with psycopg.connect(self._dsn, connect_timeout=5) as connection:
            if connection.execute(_SEES_ALL).fetchone() != (True,):
                raise Problem(
                    "this role of Postgres does not see all tenants",
                    hint="Name another one with --postgres: the sink's, or one that reads everything.",
                    exit_code=Exit.NOT_ALLOWED,
                )
            with connection.cursor("states") as cursor:
                cursor.itersize = PAGE
                cursor.execute(asked, given)
                for tenant_id, case_id, version, digest in cursor:
                    yield Name(tenant_id, case_id), State(version, bytes(digest).hex())


class ElasticsearchView:
    """An index, or the alias `case`. What was written is found: it is refreshed first."""

    def __init__(self, url: str, *, index: str = "case", group: str = "sink.elasticsearch.case") -> None:
        self.group = group
        self._url = url
        self._index = index

    def states(self, among: Collection[Name] | None = None) -> Iterator[tuple[Name, State]]:
        from elasticsearch import Elasticsearch

        with Elasticsearch(self._url, request_timeout=60) as client:
            client.indices.refresh(index=self._index)
            if among is not None:
                names = sorted(among)
                for at in range(0, len(names), PAGE):
                    ids = [f"{name.tenant_id}:{name.case_id}" for name in names[at : at + PAGE]]
                    yield from self._pages(client, {"ids": {"values": ids}})
                return
            yield from self._pages(client, {"match_all": {}})

    def _pages(self, client: Any, query: dict[str, Any]) -> Iterator[tuple[Name, State]]:
        after: list[Any] | None = None
        while True:
            hits = client.search(
                index=self._index,
                size=PAGE,
                query=query,
                sort=[{"tenant_id": "asc"}, {"case_id": "asc"}],
                search_after=after,
                source_includes=["tenant_id", "case_id", "version", "state_hash"],
            )["hits"]["hits"]
            for hit in hits:
                held = hit["_source"]
                yield Name(held["tenant_id"], held["case_id"]), State(held["version"], held["state_hash"])
            if len(hits) < PAGE:
                return
            after = hits[-1]["sort"]
