"""Stage `automation` as its role runs it, on topics of its own: `python -m tests.bench.timer_worker NAME`, with `CASESTREAM_*`.

Reads `NAME.reactions` and writes `NAME.commands`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from infra.cli.worker import serve
from infra.runtime.logging import configure
from infra.runtime.settings import Settings
from streams.automation.stage import AutomationStage
from streams.envelope import Envelope
from streams.stage import Handled, Rows
from topologies.graph import TOPOLOGY, Stage


class Elsewhere(AutomationStage):
    """Tells the cases of another topic."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        handled = super().handle(key, envelope, body, rows)
        return replace(handled, forwards=tuple(replace(f, topic=self._topic) for f in handled.forwards))


def stage(name: str) -> Stage:
    """Return stage `automation` on the topics of `name`."""
    commands = f"{name}.commands"
    return replace(
        TOPOLOGY.stage("automation"),
        name=name,
        reads=f"{name}.reactions",
        logic=lambda: Elsewhere(commands),
        emits=(commands,),
    )


def main(name: str) -> None:
    settings = Settings.from_env(needs=("kafka",))
    configure(settings)
    serve(settings, name, [stage(name)])


if __name__ == "__main__":
    main(sys.argv[1])
