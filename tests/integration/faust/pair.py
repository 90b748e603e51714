"""A worker process of two counting stages for tests: those of `group`, and of `beside`, whose first one's events it reads.

Run as a script with one JSON argument, as `counting` is.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from tests.integration.faust.counting import Counting, newer
from topologies.faust.bind import Binding, run_together
from topologies.faust.status import Status


class Named(Counting):
    """One of several counting folds in a process: metrics are told apart by their names."""

    def __init__(self, name: str, emits: str) -> None:
        super().__init__(emits)
        self.name = name


def main() -> None:
    options: dict[str, Any] = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    ready, folder = Path(options.pop("ready")), Path(options.pop("data_dir"))
    first = {name: options.pop(name) for name in ("group", "topic", "table", "emits")}
    bindings: list[Binding] = []

    def on_ready() -> None:
        if all(binding.status.ready for binding in bindings):
            ready.touch()

    for name, stage in (("first", first), ("second", options.pop("beside"))):
        bindings.append(
            Binding(
                fold=Named(name, stage["emits"]),
                group=stage["group"],
                topic=stage["topic"],
                table=stage["table"],
                data_dir=folder / name,
                status=Status(name, on_ready),
            )
        )
    run_together(bindings, newer=newer, **options)


if __name__ == "__main__":
    main()
