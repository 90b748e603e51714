"""One world a module, and the API over it, which lives on the module's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from infra.engines import Engines
from query_api.readers import Readers
from tests.integration.query_api.world import World, client
from tests.integration.query_api.world import world as a_world


@pytest.fixture(scope="module")
def world(engines: Engines, postgres_dsn: str) -> Iterator[World]:
    with a_world(engines, postgres_dsn) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def readers(world: World, kafka_bootstrap: str) -> AsyncIterator[Readers]:
    async with world.readers(kafka_bootstrap) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(world: World, readers: Readers) -> AsyncIterator[httpx.AsyncClient]:
    """The API as the first tenant has it."""
    async with client(readers, world.owners[0]) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def globex(world: World, readers: Readers) -> AsyncIterator[httpx.AsyncClient]:
    """The API as the second tenant has it."""
    async with client(readers, world.owners[1]) as made:
        yield made
