"""The topology as text and as a mermaid diagram. Both are committed as golden files."""

from __future__ import annotations

from topologies.graph import Topology


def text(topology: Topology) -> str:
    """Return the topology, a paragraph for each part, in the order of its declaration."""
    lines: list[str] = []
    for source in topology.sources:
        lines += [f"source {source.name}"]
        if source.reads is not None:
            lines += [f"  reads    {source.reads} as {source.group}"]
        lines += [f"  writes   {topic}" for topic in source.writes]
    for stage in topology.stages:
        lines += [f"stage {stage.name}", f"  reads    {stage.reads} as {stage.group}"]
        lines += [f"  config   {kind}" for kind in stage.config]
        if stage.ticks:
            lines.append("  ticks    once a second")
        lines += [f"  table    {stage.table} (changelog {stage.changelog})"]
        if stage.events is not None:
            lines.append(f"  events   {stage.events}")
        if stage.copies is not None:
            lines += [f"  copies   {stage.copies}"]
        lines += [f"  emits    {topic}" for topic in stage.emits]
        lines += [f"  buries   {stage.dead_letters}{', and parks the row' if stage.parks else ''}"]
    for feed in topology.sinks:
        lines += [f"sink {feed.into}", f"  reads    {feed.topic} as {feed.group}", f"  kind     {feed.kind}"]
    return "\n".join(lines) + "\n"


def mermaid(topology: Topology) -> str:
    """Return the topology as a flowchart: stages are boxes, topics are cylinders."""
    lines = ["flowchart LR"]
    topics: dict[str, str] = {}

    def topic(name: str) -> str:
        if name not in topics:
            topics[name] = name.replace(".", "_")
            lines.append(f"  {topics[name]}[({name})]")
        return topics[name]

    for source in topology.sources:
        node = f"source_{source.name.replace('-', '_')}"
        lines.append(f"  {node}>{source.name}]")
        if source.reads is not None:
            lines.append(f"  {topic(source.reads)} --> {node}")
        lines += [f"  {node} --> {topic(name)}" for name in source.writes]
    for stage in topology.stages:
        node = f"stage_{stage.name}"
        lines += [
            f"  {node}[{stage.name}]",
            f"  {topic(stage.reads)} --> {node}",
            *(f"  {node} ==> {topic(name)}" for name in (stage.events,) if name is not None),
        ]
        if stage.copies is not None:
            lines.append(f"  {node} ==> {topic(stage.copies)}")
        lines += [f"  {node} --> {topic(name)}" for name in stage.emits]
    for feed in topology.sinks:
        node = "sink_" + feed.group.split(".", 1)[1].replace(".", "_")
        lines += [f"  {node}{{{{{feed.into}}}}}", f"  {topic(feed.topic)} --> {node}"]
    return "\n".join(lines) + "\n"
