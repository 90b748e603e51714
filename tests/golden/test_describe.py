"""The topology as it is printed: names of topics, tables and groups are for life, so a change of one must be meant."""

from __future__ import annotations

from tests.golden.conftest import Golden
from topologies.describe import mermaid, text
from topologies.graph import TOPOLOGY


def test_the_topology_as_text(golden: Golden) -> None:
    golden.check("topology.txt", text(TOPOLOGY))


def test_the_topology_as_a_diagram(golden: Golden) -> None:
    golden.check("topology.mmd", mermaid(TOPOLOGY))
