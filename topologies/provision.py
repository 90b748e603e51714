"""The Kafka topics that a topology needs: the catalogue's, a changelog for each table, dead letters for each group."""

from __future__ import annotations

from collections.abc import Mapping

from infra.runtime.kafka import create_topics
from schemas.topics import CHANGELOG_CONFIG, DEAD_LETTER_CONFIG, TOPICS
from topologies.graph import TOPOLOGY, Topology


def topics(topology: Topology = TOPOLOGY) -> dict[str, Mapping[str, str]]:
    """Return each topic with its settings."""
    return {
        **{topic.name: topic.config for topic in TOPICS.values()},
        **{stage.changelog: CHANGELOG_CONFIG for stage in topology.stages},
        **dict.fromkeys((f"{group}.dlq" for group in topology.groups()), DEAD_LETTER_CONFIG),
    }


def provision(
    bootstrap: str, *, partitions: int, replication: int | None = None, topology: Topology = TOPOLOGY
) -> list[str]:
    """Create what is missing and return its names. replication: see `create_topics`."""
    return create_topics(bootstrap, topics(topology), partitions=partitions, replication=replication)
