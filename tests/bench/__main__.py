"""`python -m tests.bench`: measure signals into cases, the sinks, and what a person waits for, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench import fold, latency, sinks, trickle, trivial
from tests.bench.field import opened
from tests.bench.report import Report

PARTS = ("fold", "sinks", "latency")
TRIVIAL = 300_000
"""Records of the trivial fold: a few seconds of it."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--signals", type=int, default=50_000, metavar="N", help="how many; as many cases twice over")
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"measure just these, of {', '.join(PARTS)}; sinks and latency have something to read only after fold",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args(argv)
    wanted = arguments.parts or PARTS
    if unknown := set(wanted).difference(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    report = Report()
    with opened(report.say) as field:
        for part in (part for part in PARTS if part in wanted):
            report.part = part
            match part:
                case "fold":
                    trivial.run(field.kafka, field.folder, report, TRIVIAL)
                    trickle.run(field.kafka, field.folder, report)
                    fold.run(field, report, arguments.signals)
                case "sinks":
                    sinks.run(field, report)
                case "latency":
                    latency.run(field, report)
    Console(width=None if sys.stdout.isatty() else 150).print(report.table())
    if arguments.json is not None:
        arguments.json.write_text(report.to_json())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
