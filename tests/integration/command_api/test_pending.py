"""A write whose outcome does not come in time: it is not lost, and its repetition says what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests.integration.command_api.public import created
from tests.stack import Stack

pytestmark = pytest.mark.engines

DEADLINE = 60.0


@contextmanager
def without(stack: Stack, role: str) -> Iterator[None]:
    """A stack of which one role was killed; it is started again afterwards."""
    stack.roles[role].process.kill()
    try:
        yield
    finally:
        stack.roles[role].start()


def settled(write: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer of a write that is repeated while it is pending, as clients do."""
    deadline = time.monotonic() + DEADLINE
    while True:
        answer = write()
        if answer.status_code != 504:
            return answer
        assert time.monotonic() < deadline, answer.text


def titled(text: str) -> dict[str, Any]:
    return {"data": {"type": "case", "attributes": {"title": text}}}


def test_a_write_that_is_pending_says_so_and_its_repetition_has_the_outcome(
    stack: Stack, http: httpx.Client, api: CaseManagementApi, project_id: str
) -> None:
    path = f"/api/v2/cases/{created(api, project_id).id}/title"
    key, next_key = ({"Idempotency-Key": str(uuid4())} for _ in range(2))
    with without(stack, "sink.postgres"):
        pending = http.post(path, json=titled("Late"), headers=key)
    answer = settled(lambda: http.post(path, json=titled("Late"), headers=key))
    following = settled(lambda: http.post(path, json=titled("Later"), headers=next_key))

    assert pending.status_code == 504
    document = pending.json()
    assert document["details"][0]["code"] == "command.pending"
    assert document["command_id"] == pending.headers["X-Command-Id"] == answer.headers["X-Command-Id"]
    assert answer.status_code == 200
    assert (answer.json()["data"]["attributes"]["title"], answer.headers["ETag"]) == ("Late", '"2"')
    assert following.headers["ETag"] == '"3"'
