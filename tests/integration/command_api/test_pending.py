"""A write whose outcome does not come in time: it is not lost, and its repetition says what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests.integration.command_api.public import created
from tests.stack import Stack

pytestmark = pytest.mark.engines


@contextmanager
def held_up(stack: Stack, role: str) -> Iterator[None]:
    """A role that does nothing for a while, as one that is swapped out."""
    pid = stack.roles[role].process.pid
    assert pid is not None
    leash = psutil.Process(pid)
    family = [leash, *leash.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


def titled(text: str) -> dict[str, Any]:
    return {"data": {"type": "case", "attributes": {"title": text}}}


def test_a_write_that_is_pending_says_so_and_its_repetition_has_the_outcome(
    stack: Stack, http: httpx.Client, api: CaseManagementApi, project_id: str
) -> None:
    path = f"/api/v2/cases/{created(api, project_id).id}/title"
    key = {"Idempotency-Key": str(uuid4())}
    with held_up(stack, "sink.postgres"):
        pending = http.post(path, json=titled("Late"), headers=key)
    answer = http.post(path, json=titled("Late"), headers=key)
    following = http.post(path, json=titled("Later"))

    assert pending.status_code == 504
    document = pending.json()
    assert document["details"][0]["code"] == "command.pending"
    assert document["command_id"] == pending.headers["X-Command-Id"] == answer.headers["X-Command-Id"]
    assert answer.status_code == 200
    assert (answer.json()["data"]["attributes"]["title"], answer.headers["ETag"]) == ("Late", '"2"')
    assert following.headers["ETag"] == '"3"'
