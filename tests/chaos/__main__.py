"""`python -m tests.chaos`: the installed platform under a storm of commands and every fault; exit code 1 on a violation."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console

from tests.chaos.chaos import Chaos, Say
from tests.chaos.faults import Fault, every, few
from tests.chaos.table import show
from tests.installed import Platform, installed


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and return the exit code: 0 where every invariant holds."""
    asked = _parser().parse_args(argv)
    console = Console(width=max(Console().width, 120))
    began = time.monotonic()

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
        sys.stdout.flush()

    with _platform(asked, say) as platform:
        say(f"ready after {time.monotonic() - began:.0f} s in {platform.folder}")
        run = Chaos(platform, count=asked.commands, rate=asked.rate, hold=asked.hold, say=say, seed=asked.seed)
        faults: list[Fault] = [
            f for f in (few if asked.short else every)(run.victims) if asked.only.lower() in f.name.lower()
        ]
        say(f"{asked.commands} commands at {asked.rate:g}/s, {len(faults)} faults of {asked.hold:g} s")
        report = run.run(faults, rebuild=not asked.no_rebuild)
    show(report, console)
    if asked.json is not None:
        asked.json.write_text(json.dumps(report.to_json(), indent=1) + "\n")
    return 1 if report.wrong else 0


def _platform(asked: argparse.Namespace, say: Say) -> AbstractContextManager[Platform]:
    if asked.at is not None:
        return nullcontext(Platform(asked.at.absolute()))
    say("building the wheel, starting the platform")
    return installed("--kafka-nodes", str(asked.kafka_nodes), keep=asked.keep)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--commands", type=int, default=20_000, help="how many signals and commands, at least")
    parser.add_argument("--rate", type=float, default=25.0, help="how many are sent a second")
    parser.add_argument(
        "--hold", type=float, default=20.0, help="seconds that a fault lasts; the contract's zombie: 90"
    )
    parser.add_argument(
        "--short", action="store_true", help="each kind of fault once; with --commands 1500: some minutes"
    )
    parser.add_argument("--only", default="", help="faults that have this in their name")
    parser.add_argument("--kafka-nodes", type=int, choices=(1, 3), default=3)
    parser.add_argument(
        "--at", type=Path, metavar="FOLDER", help="a platform that runs there already; its data is written to for good"
    )
    parser.add_argument("--no-rebuild", action="store_true", help="leave I4 out: do not rebuild the views at the end")
    parser.add_argument("--seed", type=int, default=1, help="of what is sent")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found")
    parser.add_argument("--keep", action="store_true", help="leave the data folder, with all logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
