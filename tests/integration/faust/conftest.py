"""Topics of their own for each test."""

from __future__ import annotations

import pytest

from tests.integration.faust.harness import Logs


@pytest.fixture
def logs(kafka_bootstrap: str) -> Logs:
    made = Logs(kafka_bootstrap)
    made.create()
    return made
