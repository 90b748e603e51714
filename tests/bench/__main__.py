"""`python -m tests.bench`: measure the parts that are named, or all, one after the other; print one table at the end.

Ends with 0 whatever the figures are, and with 1 where a part did not give its figures, saying why.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from rich.console import Console

from tests.bench.bench import SIGNALS, SIZES, Bench
from tests.bench.parts import PARTS, load
from tests.bench.report import Report, short

_UNITS = {"k": 1_000, "M": 1_000_000}


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    report = Report()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _told_to_end)
    with ExitStack() as held:
        # However it ends, what was measured is kept.
        held.callback(_close, report, arguments.json)
        bench = Bench(
            report=report, signals=arguments.signals, sizes=arguments.size, held=held.enter_context(ExitStack())
        )
        for part in arguments.parts or PARTS:
            with report.measuring(part, bench.sizes):
                load(part)(bench)
        if arguments.plots:
            _draw(report)
    return 1 if report.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--signals", type=int, default=SIGNALS, metavar="N", help="how many; as many cases twice over")
    parser.add_argument(
        "--size",
        type=_sizes,
        default=SIZES,
        metavar="N,N",
        help=f"for the parts that measure against size: {','.join(map(short, SIZES))}",
    )
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        type=_part,
        help=f"measure just these, of {', '.join(PARTS)}; sinks and latency have something to read only after fold",
    )
    parser.add_argument("--plots", action="store_true", help="draw what was measured into infra/docs/figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


def _part(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"no such part: {text}; there are {', '.join(PARTS)}")
    return text


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted(int(word.rstrip("kM")) * _UNITS.get(word[-1], 1) for word in text.split(",")))
    except (ValueError, IndexError):
        raise argparse.ArgumentTypeError("sizes are as 10k,100k,1M") from None


def _told_to_end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(f"the benchmarks were ended by {signal.Signals(number).name}, before they had all figures")


def _draw(report: Report) -> None:
    from tests.bench import plots

    for path in plots.draw(plots.points(map(asdict, report.figures))):
        report.say(f"drawn: {path}")


def _close(report: Report, path: Path | None) -> None:
    Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "170"))).print(report.table())
    if path is not None:
        path.write_text(report.to_json())


if __name__ == "__main__":
    raise SystemExit(main())
