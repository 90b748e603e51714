"""Unit tests cannot reach a network: this machine's loopback, on which some serve themselves, is all there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from pytest_socket import enable_socket, socket_allow_hosts

LOOPBACK: Final = ["127.0.0.1", "::1"]


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    yield
    enable_socket()
