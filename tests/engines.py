"""Fixtures: the real engines, one set a run.

`CASESTREAM_TEST_ENGINES=FILE` (JSON: kafka, postgres, elasticsearch, redis) uses a set that runs already, for a fast
round while developing; tests that kill engines start one of their own then.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from infra.engines import Addresses, Engines, Ports, start

RUNNING = "CASESTREAM_TEST_ENGINES"


def kept_folder() -> Path:
    """Return a new folder for engines. Open to the user that Postgres runs as where tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="casestream-test-"))
    path.chmod(0o711)
    return path


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder as `kept_folder` makes it, gone afterwards."""
    path = kept_folder()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The engines of this run."""
    running = os.environ.get(RUNNING)
    if running:
        addresses = Addresses.from_json(json.loads(Path(running).read_text()))
        with start("external", addresses=addresses) as there:
            yield there
        return
    with data_folder() as folder, start("embedded", folder, Ports.any_free()) as own:
        yield own


@pytest.fixture(scope="session")
def killable_engines(engines: Engines) -> Iterator[Engines]:
    """Engines that a test may kill and start again: this run's own set, never one that somebody else uses."""
    if engines.kind == "embedded":
        yield engines
        return
    with data_folder() as folder, start("embedded", folder, Ports.any_free()) as own:
        yield own


@pytest.fixture(scope="session")
def kafka_bootstrap(engines: Engines) -> str:
    return engines.addresses.kafka


@pytest.fixture(scope="session")
def elasticsearch_url(engines: Engines) -> str:
    return engines.addresses.elasticsearch


@pytest.fixture(scope="session")
def redis_url(engines: Engines) -> str:
    return engines.addresses.redis


@pytest.fixture(scope="module")
def postgres_dsn(engines: Engines) -> Iterator[str]:
    """A database of this test module alone, as its owner."""
    with database(engines.addresses.postgres) as dsn:
        yield dsn


@contextmanager
def database(owner: str) -> Iterator[str]:
    """A new, empty database; dropped afterwards, whoever is still connected."""
    name = sql.Identifier(f"test_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield conninfo.make_conninfo(owner, dbname=name.as_string().strip('"'))
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
