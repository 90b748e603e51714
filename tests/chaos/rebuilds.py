"""I4: both views made anew from the events, twice, by the operator's command; what serves then is the same to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import psycopg
from elasticsearch import Elasticsearch
from psycopg import sql

from sinks.postgres.tables import KEYS, VIEWS
from tests.chaos.checker import Verdict
from tests.chaos.victims import Victims
from tests.chaos.views import INDEX, documents

TIMES: Final = 2
SECONDS: Final = 280.0

Dump = dict[str, tuple[int, str]]
"""By table or index: how many rows, and the digest of their bytes."""


def rebuilt(victims: Victims) -> Verdict:
    """Rebuild each view so many times while the platform runs, and compare what served before and after each."""
    verdict = Verdict(
        "I4", "rows and documents that two full rebuilds, and the view that served before, have to the byte"
    )
    stack = victims.platform.stack
    told = victims.environment("sink.postgres")
    sink, owner = told["CASESTREAM_POSTGRES_SINK"], victims.owner
    for view in ("postgres", "elasticsearch"):

        def dump(view: str = view) -> Dump:
            return dict(_tables(sink) if view == "postgres" else _index(stack["elasticsearch"]))

        seen = [dump()]
        for _ in range(TIMES):
            arguments = ["rebuild", "view", view, "--kafka", stack["kafka"], "--postgres", sink]
            arguments += ["--owner", owner] if view == "postgres" else ["--elasticsearch", stack["elasticsearch"]]
            done = subprocess.run(
                [str(Path(sys.executable).with_name("case-cli")), *arguments, "--json"],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            if done.returncode != 0:
                verdict.wrong.append(f"rebuild view {view} ended with {done.returncode}: {done.stderr}{done.stdout}")
            seen.append(dump())
        for name, (rows, _) in seen[0].items():
            found = [each.get(name) for each in seen]
            verdict.hold(rows, [] if len(set(found)) == 1 else [f"{view}: {name} was {found}"])
    return verdict


def _tables(dsn: str) -> Iterator[tuple[str, tuple[int, str]]]:
    with psycopg.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone = UTC")
        for table in VIEWS:
            order = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
            query = sql.SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT").format(sql.Identifier(table), order)
            digest, rows = sha256(), 0
            with cursor.copy(query) as copy:
                for part in copy:
                    digest.update(part)
                    rows += 1
            yield table, (rows, digest.hexdigest())


def _index(url: str) -> Iterator[tuple[str, tuple[int, str]]]:
    with Elasticsearch(url, request_timeout=60) as search:
        search.indices.refresh(index=INDEX)
        digest, rows = sha256(), 0
        for hit in documents(search, INDEX):
            digest.update(json.dumps([hit["_id"], hit["_version"], hit["_source"]], sort_keys=True).encode())
            rows += 1
        yield INDEX, (rows, digest.hexdigest())
