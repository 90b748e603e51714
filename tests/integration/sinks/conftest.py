"""What tests of sinks on real engines share."""

from __future__ import annotations

import pytest

from tests.migrated import Migrated


@pytest.fixture(scope="module")
def migrated(postgres_dsn: str) -> Migrated:
    """A migrated database of this module alone."""
    return Migrated.of(postgres_dsn)
