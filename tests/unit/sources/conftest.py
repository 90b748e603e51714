"""The sources' HTTP application over a log in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fakes.edge import Edge


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
async def client(edge: Edge) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application. An exception of it would be a 500: it is let through, so that the test shows it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge.app()), base_url="http://test") as client:
        yield client
