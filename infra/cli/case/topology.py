"""`case-cli topology`: the pipeline as it is declared. No requests."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.case.output import Output
from infra.cli.case.session import ending


def topology(
    *,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a mermaid flowchart, for documents.")] = False,
) -> None:
    """Show the pipeline: every source, stage and sink, with the topics that they read and write."""
    out = Output(as_json=False)
    with ending(out):
        from topologies import describe
        from topologies.graph import TOPOLOGY

        out.print((describe.mermaid if mermaid else describe.text)(TOPOLOGY).rstrip("\n"))
