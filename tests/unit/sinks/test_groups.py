"""The groups that the role runs are those of the picture."""

from __future__ import annotations

from sinks.postgres.main import GROUPS
from topologies.graph import TOPOLOGY


def test_the_role_reads_what_the_topology_says_under_the_names_that_it_says() -> None:
    assert {feed.topic: feed.group for feed in TOPOLOGY.sinks if feed.into == "postgres"} == GROUPS
