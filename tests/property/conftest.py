"""Laws hold without a network, and are tried on more cases than a developer waits for only where CI says so."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, enable_socket

# Examples of stages are slow to draw on a busy machine, and their number bounds the time instead.
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
settings.register_profile("fast", deadline=None, suppress_health_check=SLOW)
settings.register_profile("long", deadline=None, suppress_health_check=SLOW, max_examples=2_000)
settings.load_profile(os.environ.get("CASESTREAM_TEST_PROFILE", "fast"))


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
