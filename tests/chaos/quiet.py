"""When nothing is on its way any more: every group has taken all of its topic, and the views show it."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import KafkaException

from tests.caught_up import caught_up
from tests.chaos.log import committed, ends
from tests.installed import await_
from topologies.graph import TOPOLOGY

PAUSE_SECONDS: Final = 0.5

Place = tuple[str, int]


def readers() -> list[tuple[str, str]]:
    """Return each stage's and source's group that reads a topic, with the topic."""
    sources = [(source.group, source.reads) for source in TOPOLOGY.sources if source.group and source.reads]
    return [*sources, *((stage.group, stage.reads) for stage in TOPOLOGY.stages)]


def waiting(kafka: str, marks: dict[Place, int]) -> dict[str, int]:
    """Return how many records each group has still to take up to these ends of partitions."""
    lags = {}
    for group, topic in readers():
        places = [place for place in marks if place[0] == topic]
        at = committed(kafka, group, places)
        lags[group] = sum(max(marks[place] - at[place], 0) for place in places)
    return lags


def marks_of(kafka: str) -> dict[Place, int]:
    return ends(kafka, {topic for _, topic in readers()})


def behind(kafka: str) -> int | None:
    """Return how many records wait for stages and sources in all; None where Kafka does not say."""
    try:
        return sum(waiting(kafka, marks_of(kafka)).values())
    except (KafkaException, KeyError):
        return None


def await_quiet(kafka: str, postgres: str, *, seconds: float) -> None:
    """Return when all that was there has gone through all stages into the views. AssertionError after `seconds`.

    Ticks come for ever, so what counts is where the logs ended when it was asked. What one stage sends another is behind
    that: it is asked once for each stage that a record may pass.
    """
    deadline = time.monotonic() + seconds
    for _ in TOPOLOGY.stages:
        marks = marks_of(kafka)
        while any(lags := waiting(kafka, marks).values()):
            assert time.monotonic() < deadline, f"not quiet within {seconds:.0f} s: {waiting(kafka, marks)} {lags}"
            time.sleep(PAUSE_SECONDS)
    left = deadline - time.monotonic()
    await_(lambda: caught_up(kafka, postgres), seconds=left, what="the views have caught up", pause=PAUSE_SECONDS)
