"""One operator at a time on the dead letters of a group: a claim that Kafka itself holds, and drops when its holder dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from infra.cli.case.problem import Exit, Problem
from infra.runtime.consuming import CONSUMER

WAIT_SECONDS: Final = 10.0
"""Longer than a member that was killed is missed after."""

_JOIN_SECONDS: Final = 20.0


@contextmanager
def claimed(bootstrap: str, topic: str, *, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the claim on a topic of dead letters while inside. Raises Problem where somebody else has it.

    It is membership in a consumer group that reads nothing: who is its only member has the claim. Of two who come at the
    same moment both are refused. A holder that was killed is a member for a few seconds more, which are waited for.
    """
    group = f"operator.{topic}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    deadline = time.monotonic() + wait
    while _members(admin, group):
        if time.monotonic() > deadline:
            raise _taken(topic)
        time.sleep(0.2)
    consumer = Consumer({**CONSUMER, "bootstrap.servers": bootstrap, "group.id": group})
    try:
        _join(consumer, topic)
        if _members(admin, group) != 1:
            raise _taken(topic)
        yield
    finally:
        consumer.close()


def _join(consumer: Consumer, topic: str) -> None:
    joined: list[bool] = []

    def assigned(given: Any, _partitions: Any) -> None:
        # It is a member, and reads nothing.
        given.assign([])
        joined.append(True)

    consumer.subscribe([topic], on_assign=assigned)
    deadline = time.monotonic() + _JOIN_SECONDS
    while not joined:
        consumer.poll(0.1)
        if time.monotonic() > deadline:
            raise Problem(f"Kafka does not let anybody claim {topic}", exit_code=Exit.UNAVAILABLE)


def _members(admin: AdminClient, group: str) -> int:
    (asked,) = admin.describe_consumer_groups([group], request_timeout=10).values()
    return len(asked.result(10).members)


def _taken(topic: str) -> Problem:
    return Problem(
        f"somebody else is at work on {topic}",
        hint="Wait until that run has ended, and look at `case-cli dlq list` before the next one.",
    )
