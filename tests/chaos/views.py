"""What the views hold, asked of their stores: at the end, and as snapshots on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from elasticsearch import ApiError, Elasticsearch, TransportError

from streams.topics import CASE_EVENTS
from tests.chaos.story import Place, State

INDEX: Final = "case"
PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A view at one moment. positions: by partition, up to where it says that it shows everything. versions: what it shows."""

    view: str
    positions: dict[int, int]
    versions: dict[Place, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """outcomes: verdict by command. receipts: by signal. comments: how often each text stands there. numbers: of the cases
    of each project."""

    cases: dict[Place, State]
    versions: dict[Place, list[int]]
    numbers: dict[tuple[str, str], list[int]]
    outcomes: dict[str, str]
    receipts: dict[str, str]
    comments: dict[str, int]


def postgres(dsn: str) -> Postgres:
    """Read all of it. dsn: of a role that reads all tenants."""
    with psycopg.connect(dsn) as connection:
        cases = connection.execute('SELECT tenant_id, case_id, version, state_hash FROM "case"').fetchall()
        activity = connection.execute("SELECT tenant_id, case_id, version FROM activity ORDER BY version").fetchall()
        numbered = connection.execute('SELECT tenant_id, project_key, number FROM "case" ORDER BY number').fetchall()
        outcomes = connection.execute("SELECT command_id, verdict FROM command_outcome").fetchall()
        receipts = connection.execute("SELECT signal_id, receipt FROM signal_receipt").fetchall()
        comments = connection.execute("SELECT message, count(*) FROM timeline_cell GROUP BY message").fetchall()
    versions: dict[Place, list[int]] = defaultdict(list)
    for tenant, case, version in activity:
        versions[str(tenant), str(case)].append(version)
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for tenant, project, number in numbered:
        numbers[str(tenant), project].append(number)
    return Postgres(
        cases={(str(t), str(c)): (version, bytes(digest).hex()) for t, c, version, digest in cases},
        versions=versions,
        numbers=numbers,
        outcomes={str(command): verdict for command, verdict in outcomes},
        receipts={str(signal): receipt for signal, receipt in receipts},
        comments=dict(comments),
    )


def elasticsearch(url: str) -> dict[Place, State]:
    """Read the whole index, after a refresh. The version in a document is also Elasticsearch's own."""
    with Elasticsearch(url, request_timeout=60) as search:
        search.indices.refresh(index=INDEX)
        found: dict[Place, State] = {}
        for hit in documents(search, INDEX, ["tenant_id", "case_id", "version", "state_hash"]):
            held = hit["_source"]
            place = (held["tenant_id"], held["case_id"])
            assert hit["_id"] == f"{place[0]}:{place[1]}", hit
            assert hit["_version"] == held["version"], hit
            found[place] = (held["version"], held["state_hash"])
    return found


def documents(search: Elasticsearch, index: str, fields: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield every document of an index as it is found now, in the order of its case."""
    after: list[Any] | None = None
    while True:
        page = search.search(
            index=index,
            size=PAGE,
            query={"match_all": {}},
            sort=[{"tenant_id": "asc"}, {"case_id": "asc"}],
            search_after=after,
            version=True,
            source=True if fields is None else None,
            source_includes=fields,
        )["hits"]["hits"]
        if not page:
            return
        yield from page
        after = page[-1]["sort"]


def snapshots(dsn: str, url: str) -> list[Snapshot]:
    """Look at both views as they are now, with what they say of themselves. One that is away is left out."""
    found = []
    try:
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            at = _positions(connection, "sink.postgres.case", "next_offset")
            rows = connection.execute('SELECT tenant_id, case_id, version FROM "case"').fetchall()
            found.append(
                Snapshot(view="Postgres", positions=at, versions={(str(t), str(c)): version for t, c, version in rows})
            )
        with psycopg.connect(dsn, connect_timeout=5) as connection, Elasticsearch(url, request_timeout=10) as search:
            # The position first: what is searched afterwards must show at least as much.
            at = _positions(connection, "sink.elasticsearch.case", "visible_next_offset")
            versions = {
                (hit["_source"]["tenant_id"], hit["_source"]["case_id"]): int(hit["_source"]["version"])
                for hit in documents(search, INDEX, ["tenant_id", "case_id", "version"])
            }
            found.append(Snapshot(view="Elasticsearch", positions=at, versions=versions))
    except (psycopg.OperationalError, ApiError, TransportError):
        pass
    return found


def _positions(connection: psycopg.Connection[Any], sink: str, column: str) -> dict[int, int]:
    rows = connection.execute(
        "SELECT partition, next_offset, visible_next_offset FROM projection_offset WHERE sink = %s AND topic = %s",
        (sink, CASE_EVENTS),
    ).fetchall()
    return {partition: (at if column == "next_offset" else visible or 0) for partition, at, visible in rows}
