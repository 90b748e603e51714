"""`case-cli rebuild view` on a running stack: the new view serves, with nothing lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch, helpers
from psycopg import conninfo
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.operate.log import Log
from infra.engines import Engines
from migrations.elasticsearch_runner import load, switch
from streams.topics import CASE_EVENTS
from tests.integration.cli.operating import Operate, engines_file, operate
from tests.stack import Stack

__all__ = ["engines_file", "operate"]

pytestmark = pytest.mark.engines


@pytest.fixture
def client(stack: Stack) -> Iterator[Elasticsearch]:
    """A client; afterwards the alias stands for the index of the migrations again, with all that was written."""
    url = stack.prepared.env["CASESTREAM_ELASTICSEARCH"]
    first = next(file.index for file in load() if file.alias == "case")
    with Elasticsearch(url, request_timeout=60) as search:
        yield search
        for index in list(search.indices.get(index="case.v*.*", allow_no_indices=True)):
            search.indices.refresh(index=index)
            for held in helpers.scan(search, index=index, version=True):
                kept = {"version": held["_version"], "version_type": "external_gte"}
                search.index(index=first, id=held["_id"], document=held["_source"], refresh=True, **kept)
            switch(url, first)
            search.indices.delete(index=index)


def rebuild(stack: Stack, view: str, *arguments: str, exits: int = 0) -> Any:
    env = stack.prepared.env
    engines = ("--kafka", env["CASESTREAM_KAFKA"], "--elasticsearch", env["CASESTREAM_ELASTICSEARCH"])
    sink = ("--postgres", env["CASESTREAM_POSTGRES_SINK"])
    done = CliRunner().invoke(app, ["rebuild", "view", view, *arguments, *engines, *sink, "--json"])
    assert done.exit_code == exits, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def write(stack: Stack, title: str) -> str:
    with stack.client() as http:
        body = {
            "data": {
                "type": "case",
                "attributes": {"title": title, "type_id": "00000000-0000-0000-0000-000000000001"},
                "relationships": {"project": {"data": {"id": stack.tenants[0]["project_id"], "type": "project"}}},
            }
        }
        made = http.post("/api/v2/cases", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["data"]["id"])


def test_a_new_index_is_filled_compared_and_put_in_place(stack: Stack, operate: Operate, client: Elasticsearch) -> None:
    before = write(stack, "Before the rebuild")
    records = _events(stack)

    beside = rebuild(stack, "elasticsearch", "--no-switch")
    assert (beside["switched"], beside["different"]) == (False, 0)
    assert list(client.indices.get_alias(name="case")) == ["case.v1"]

    made = rebuild(stack, "elasticsearch")

    assert (made["switched"], made["different"], made["cases"]) == (True, 0, beside["cases"])
    assert (made["resumed"], made["version"], made["kept"]) == (True, beside["version"], "case.v1")
    assert list(client.indices.get_alias(name="case")) == [made["version"]]
    after = write(stack, "After the rebuild")
    assert operate("verify-view", "elasticsearch")["different"] == 0
    found = client.search(index=made["version"], query={"terms": {"case_id": [before, after]}})["hits"]["hits"]
    assert {hit["_source"]["case_id"] for hit in found} == {before, after}
    assert _events(stack) == records + 1
    back = rebuild(stack, "elasticsearch", "--rollback")
    assert (back["version"], back["kept"]) == ("case.v1", made["version"])
    assert operate("verify-view", "elasticsearch")["different"] == 0
    assert rebuild(stack, "elasticsearch", "--discard") == {"discarded": [made["version"]]}


def test_new_tables_are_filled_compared_and_exchanged(stack: Stack, operate: Operate, engines: Engines) -> None:
    before = write(stack, "Before the exchange")
    database = conninfo.conninfo_to_dict(stack.prepared.env["CASESTREAM_POSTGRES_SINK"])["dbname"]
    owner = conninfo.make_conninfo(engines.addresses.postgres, dbname=database)

    made = rebuild(stack, "postgres", "--owner", owner)

    assert (made["switched"], made["different"], made["changed"]) == (True, 0, {})
    after = write(stack, "After the exchange")
    assert operate("verify-view", "postgres")["different"] == 0
    with stack.client() as http:
        for case_id in (before, after):
            assert http.get(f"/api/v2/cases/{case_id}").status_code == 200
    back = rebuild(stack, "postgres", "--owner", owner, "--rollback")
    assert (back["switched"], back["different"], back["kept"]) == (True, 0, f"view_{made['version']}")
    assert operate("verify-view", "postgres")["different"] == 0
    with stack.client() as http:
        assert http.get(f"/api/v2/cases/{after}").status_code == 200
    assert rebuild(stack, "postgres", "--owner", owner, "--discard") == {"discarded": [f"view_{made['version']}"]}


def _events(stack: Stack) -> int:
    bounds = Log(stack.prepared.env["CASESTREAM_KAFKA"]).bounds([CASE_EVENTS])
    return sum(span.end for span in bounds.values())
