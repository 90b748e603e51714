"""Indices are made once, behind an alias, whoever makes them and how often."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
from elasticsearch import Elasticsearch

from migrations.elasticsearch_runner import main, migrate, switch
from migrations.runner import MigrationRefused

pytestmark = pytest.mark.engines


@pytest.fixture
def client(elasticsearch_url: str, alias: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as made:
        yield made
        for index in made.indices.get(index=f"{alias}*"):
            made.indices.delete(index=index)


def test_the_first_run_makes_the_index_behind_its_alias_and_the_next_nothing(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch
) -> None:
    first = migrate(elasticsearch_url, folder=folder)
    again = migrate(elasticsearch_url, folder=folder)

    assert (first, again) == ([f"{alias}.v1"], [])
    made = client.indices.get(index=alias)[f"{alias}.v1"]
    assert made["aliases"] == {alias: {"is_write_index": True}}
    assert made["mappings"]["dynamic"] == "strict"
    # One node has no place for a copy; a second one gets it by itself.
    assert made["settings"]["index"]["number_of_replicas"] == "0"
    assert made["settings"]["index"]["auto_expand_replicas"] == "0-1"
    assert client.cluster.health(index=alias, wait_for_status="green", timeout="10s")["status"] == "green"


def test_a_file_that_was_changed_after_its_index_was_made_is_refused(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch
) -> None:
    migrate(elasticsearch_url, folder=folder)
    before = client.indices.get(index=alias).body
    path = folder / f"{alias}.v1.json"
    body = orjson.loads(path.read_bytes())
    body["mappings"]["properties"]["more"] = {"type": "keyword"}
    path.write_bytes(orjson.dumps(body))

    with pytest.raises(MigrationRefused, match=rf"restore the file and add {alias}\.v2\.json"):
        migrate(elasticsearch_url, folder=folder)

    assert client.indices.get(index=alias).body == before


def test_runs_at_the_same_time_make_one_index_and_all_succeed(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch
) -> None:
    with ThreadPoolExecutor(6) as runners:
        made = list(runners.map(lambda _: migrate(elasticsearch_url, folder=folder), range(6)))

    assert sorted(made) == [[]] * 5 + [[f"{alias}.v1"]]
    assert list(client.indices.get_alias(name=alias)) == [f"{alias}.v1"]


def test_a_new_version_stands_beside_the_old_one_until_it_is_switched_to(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch
) -> None:
    migrate(elasticsearch_url, folder=folder)
    (folder / f"{alias}.v2.json").write_bytes((folder / f"{alias}.v1.json").read_bytes())

    made = migrate(elasticsearch_url, folder=folder)
    beside = list(client.indices.get_alias(name=alias))
    switch(elasticsearch_url, f"{alias}.v2", alias=alias)
    switch(elasticsearch_url, f"{alias}.v2", alias=alias)

    assert made == [f"{alias}.v2"]
    assert beside == [f"{alias}.v1"]
    assert client.indices.get_alias(name=alias).body == {f"{alias}.v2": {"aliases": {alias: {"is_write_index": True}}}}


def test_a_new_cluster_begins_with_the_newest_version(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch
) -> None:
    (folder / f"{alias}.v2.json").write_bytes((folder / f"{alias}.v1.json").read_bytes())

    assert migrate(elasticsearch_url, folder=folder) == [f"{alias}.v2"]
    assert list(client.indices.get_alias(name=alias)) == [f"{alias}.v2"]
    assert not client.indices.exists(index=f"{alias}.v1")


def test_a_mapping_that_the_server_refuses_is_refused_with_its_reason(
    elasticsearch_url: str, tmp_path: Path, alias: str, client: Elasticsearch
) -> None:
    body = {"settings": {"index": {}}, "mappings": {"properties": {"x": {"type": "no_such_type"}}}}
    (tmp_path / f"{alias}.v1.json").write_bytes(orjson.dumps(body))

    with pytest.raises(MigrationRefused, match="no_such_type"):
        migrate(elasticsearch_url, folder=tmp_path)


def test_production_may_have_more_shards(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch
) -> None:
    migrate(elasticsearch_url, shards=2, folder=folder)

    assert migrate(elasticsearch_url, folder=folder) == []
    assert client.indices.get_settings(index=alias)[f"{alias}.v1"]["settings"]["index"]["number_of_shards"] == "2"


def test_the_command_switches_the_alias_and_says_what_it_cannot_do(
    elasticsearch_url: str, folder: Path, alias: str, client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {"CASESTREAM_ELASTICSEARCH": elasticsearch_url}
    migrate(elasticsearch_url, folder=folder)
    client.indices.create(index=f"{alias}.again")

    assert main(["--alias", alias, "--switch", f"{alias}.again"], env) == 0
    assert list(client.indices.get_alias(name=alias)) == [f"{alias}.again"]
    assert main(["--alias", alias, "--switch", f"{alias}.none"], env) == 1
    assert main([], {}) == 2
    said = capsys.readouterr()
    assert said.out == f"{alias} is {alias}.again\n"
    assert "no such index" in said.err
    assert "CASESTREAM_ELASTICSEARCH" in said.err
