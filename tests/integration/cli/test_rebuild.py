"""`case-cli rebuild elasticsearch` on a running stack: the new index serves, with nothing lost on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from elasticsearch import Elasticsearch, helpers
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.operate.log import Log
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


def rebuild(stack: Stack, *arguments: str) -> Any:
    env = stack.prepared.env
    engines = ("--kafka", env["CASESTREAM_KAFKA"], "--elasticsearch", env["CASESTREAM_ELASTICSEARCH"])
    sink = ("--postgres", env["CASESTREAM_POSTGRES_SINK"])
    done = CliRunner().invoke(app, ["rebuild", "elasticsearch", *arguments, *engines, *sink, "--json"])
    assert done.exit_code == 0, f"{done.stdout}\n{done.stderr}"
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

    beside = rebuild(stack, "--no-switch")
    assert (beside["switched"], beside["different"]) == (False, 0)
    assert list(client.indices.get_alias(name="case")) == ["case.v1"]

    time.sleep(1.1 - time.time() % 1)  # Indices are named by the second.
    made = rebuild(stack)

    assert (made["switched"], made["different"], made["cases"]) == (True, 0, beside["cases"])
    assert list(client.indices.get_alias(name="case")) == [made["index"]]
    after = write(stack, "After the rebuild")
    assert operate("verify-view", "elasticsearch")["different"] == 0
    found = client.search(index=made["index"], query={"terms": {"case_id": [before, after]}})["hits"]["hits"]
    assert {hit["_source"]["case_id"] for hit in found} == {before, after}
    assert _events(stack) == records + 1
    assert _traces(stack) == []


def _events(stack: Stack) -> int:
    bounds = Log(stack.prepared.env["CASESTREAM_KAFKA"]).bounds([CASE_EVENTS])
    return sum(span.end for span in bounds.values())


def _traces(stack: Stack) -> list[Any]:
    """What a rebuild leaves in Postgres."""
    with psycopg.connect(stack.prepared.postgres_reader) as connection:
        return connection.execute("SELECT sink FROM projection_offset WHERE sink LIKE 'rebuild%'").fetchall()
