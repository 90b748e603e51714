"""Laws hold without a network.

They are tried on the same examples in every run, so that nobody's change fails by chance; CASESTREAM_TEST_PROFILE=long
looks for new ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, enable_socket

# Examples of stages are slow to draw on a busy machine, and their number bounds the time instead.
MEANT = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
settings.register_profile("fast", deadline=None, suppress_health_check=MEANT, derandomize=True, database=None)
settings.register_profile("long", deadline=None, suppress_health_check=MEANT, max_examples=2_000)
settings.load_profile(os.environ.get("CASESTREAM_TEST_PROFILE", "fast"))


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
