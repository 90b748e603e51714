"""`python -m infra.engines.kafka_tools TOOL ARGUMENTS`."""

from __future__ import annotations

import sys

from rich.console import Console

from infra.engines.kafka_tools.tool import TOOLS, run
from infra.engines.progress import Terminal
from infra.runtime.errors import EngineError

USAGE = 64


def main() -> int:
    name, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if name not in TOOLS:
        print(f"python -m infra.engines.kafka_tools TOOL ARGUMENTS\nTOOL is one of {', '.join(TOOLS)}", file=sys.stderr)
        return USAGE
    try:
        with Terminal(Console(stderr=True)) as progress:
            run(name, arguments, progress=progress)
    except EngineError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
