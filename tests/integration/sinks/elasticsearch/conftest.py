"""A search view of its own for each test, and a proxy in front of it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from migrations.elasticsearch_runner import migrate
from tests.integration.sinks.elasticsearch.busy_proxy import BusyProxy
from tests.integration.sinks.elasticsearch.view import View
from tests.migrated import Migrated


@pytest.fixture(scope="module")
def sink_dsn(postgres_dsn: str) -> str:
    return Migrated.of(postgres_dsn).sink


@pytest.fixture
def alias() -> str:
    return f"case_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def folder(tmp_path: Path, alias: str) -> Path:
    """The project's own mapping under a name of this test."""
    source = files("migrations") / "elasticsearch" / "case.v1.json"
    (tmp_path / f"{alias}.v1.json").write_bytes(source.read_bytes())
    return tmp_path


@pytest.fixture
def view(elasticsearch_url: str, sink_dsn: str, folder: Path, alias: str) -> Iterator[View]:
    migrate(elasticsearch_url, folder=folder)
    made = View(elasticsearch_url, sink_dsn, folder, alias)
    try:
        yield made
    finally:
        remove(made)


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[BusyProxy]:
    with BusyProxy(elasticsearch_url).serving() as serving:
        yield serving


def remove(view: View) -> None:
    """Delete the indices of a test by name: others use the same server."""
    for index in view.client.indices.get(index=f"{view.alias}*"):
        view.client.indices.delete(index=index)
    view.client.close()
    shutil.rmtree(view.folder, ignore_errors=True)
