"""The topics as they are made: what is kept, for how long, and who finds a key where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.topics import DAY_MS, TOPICS
from topologies.graph import TOPOLOGY
from topologies.provision import topics

ROOT = Path(__file__).parents[3]
PACKAGES = ("infra", "sinks", "sources", "topologies", "command-api", "query-api")
FOR_EVER = ("alert.events", "case.events", "config.events")


def test_only_changelogs_are_compacted_and_not_within_an_hour() -> None:
    changelogs = {stage.changelog for stage in TOPOLOGY.stages}
    compacted = {name for name, config in topics().items() if "compact" in config["cleanup.policy"]}
    assert compacted == changelogs
    assert {topics()[name]["min.compaction.lag.ms"] for name in changelogs} == {"3600000"}
    assert {topics()[name]["cleanup.policy"] for name in changelogs} == {"compact"}


def test_events_are_kept_for_ever_and_what_leads_to_them_for_a_fortnight() -> None:
    kept = {name: int(topics()[name]["retention.ms"]) for name in TOPICS}
    assert {name for name, ms in kept.items() if ms == -1} == set(FOR_EVER)
    assert {ms for name, ms in kept.items() if name not in FOR_EVER} == {14 * DAY_MS}
    assert {topics()[name]["retention.bytes"] for name in TOPICS} == {"-1"}
    assert {config["retention.ms"] for name, config in topics().items() if name.endswith(".dlq")} == {"-1"}


def producers() -> dict[str, str]:
    """The files that make a producer of confluent's, with their text."""
    texts = {path: path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    return {
        str(path.relative_to(ROOT)): text
        for path, text in texts.items()
        if "confluent_kafka import" in text and re.search(r"\bProducer\(\s*\{", text)
    }


@pytest.mark.parametrize("where", producers())
def test_every_producer_partitions_as_java_does(where: str) -> None:
    """librdkafka's default is another: the same key would be in another partition."""
    assert re.search(r"\*\*PRODUCER\b|\"partitioner\": \"murmur2_random\"", producers()[where])


def test_there_are_producers() -> None:
    assert len(producers()) >= 5
