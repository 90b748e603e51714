"""Stories run in memory: they cannot reach a network, and where they begin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

from tests.world import World


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def world() -> World:
    """A registered tenant without projects."""
    return World().register()


@pytest.fixture
def ops(world: World) -> str:
    """The id of its project OPS."""
    return world.project("OPS")
