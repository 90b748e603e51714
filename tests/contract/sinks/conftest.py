"""Each test of this folder runs on each store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.sinks.stores import STORES, Store
from tests.migrated import Migrated


@pytest.fixture(scope="module")
def migrated(postgres_dsn: str) -> Migrated:
    return Migrated.of(postgres_dsn)


@pytest.fixture(params=STORES)
def make_store(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Gives empty stores, one after the other: a new one takes the place of the last."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(request.param(request))


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    return make_store()
