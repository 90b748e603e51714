"""Fixtures: the public client of each tenant, and his project."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests.integration.command_api.public import public_client
from tests.stack import Stack


@pytest.fixture
def api(stack: Stack) -> Iterator[CaseManagementApi]:
    """The public client of tenant 0."""
    with public_client(stack, 0) as client:
        yield client


@pytest.fixture
def other_api(stack: Stack) -> Iterator[CaseManagementApi]:
    """The public client of tenant 1."""
    with public_client(stack, 1) as client:
        yield client


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    """A plain client with tenant 0's keys, for what the public one would not send."""
    with stack.client() as client:
        yield client


@pytest.fixture
def project_id(stack: Stack) -> str:
    """Tenant 0's project, OPS."""
    return stack.tenants[0]["project_id"]
