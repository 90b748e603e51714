"""Stage `cases` as its role runs it, on topics of its own: `python -m tests.bench.stage_worker NAME`, with `CASESTREAM_*`.

Reads `NAME.commands` and writes `NAME.events` and `NAME.reactions`, so that the figures of one size know nothing of
what was folded before.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from infra.cli.worker import serve
from infra.runtime.logging import configure
from infra.runtime.settings import Settings
from topologies.graph import TOPOLOGY, Stage


def stage(name: str) -> Stage:
    """Return stage `cases` on the topics of `name`."""
    cases = TOPOLOGY.stage("cases")
    return replace(
        cases, name=name, reads=f"{name}.commands", events=f"{name}.events", copies=f"{name}.reactions", emits=()
    )


def main(name: str) -> None:
    settings = Settings.from_env(needs=("kafka",))
    configure(settings)
    serve(settings, name, [stage(name)])


if __name__ == "__main__":
    main(sys.argv[1])
