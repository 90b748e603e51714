"""`python -m tests.simulation`: run many seeds; of one that fails, print how to run it again and the shortest trace."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.simulation.run import Result, Run, shrink

SHOWN = 60
AHEAD = 64


def simulate(seed: str) -> Result:
    return Run(seed).go()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, metavar="N", help="how many seeds (2000)")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="S", help="the first seed (0)")
    parser.add_argument("--seed", metavar="X", help="just this seed, with its whole trace")
    parser.add_argument("--keep", metavar="N,N", help="with --seed: only these parts of its workload")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (one a core)")
    asked = parser.parse_args(argv)
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False, soft_wrap=True)
    if asked.seed is not None:
        keep = None if asked.keep is None else [int(n) for n in asked.keep.split(",") if n]
        result = Run(asked.seed, keep=keep).go()
        console.print("\n".join(result.trace))
        return tell(console, result, shortest=False)
    seeds = [str(seed) for seed in range(asked.first, asked.first + asked.seeds)]
    records = hits = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    failed: Result | None = None
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("seeds", total=len(seeds))
        for result in _results(seeds, asked.jobs):
            records, hits = records + result.records, hits + result.hits
            progress.update(bar, advance=1, description=f"seeds: {hits} faults, {records} records")
            if result.failure is not None:
                failed = result
                break
    if failed is not None:
        return tell(console, failed, shortest=True)
    console.print(f"{len(seeds)} seeds from {asked.first}: {hits} faults, {records} records; every invariant holds")
    return 0


def _results(seeds: Sequence[str], jobs: int) -> Iterator[Result]:
    """Run the seeds in their order, a few ahead of what is asked for."""
    if jobs == 1:
        yield from map(simulate, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(simulate, seed) for seed in seeds[:AHEAD]]
        try:
            for n in range(len(seeds)):
                yield waiting[n].result()
                if n + AHEAD < len(seeds):
                    waiting.append(pool.submit(simulate, seeds[n + AHEAD]))
        finally:
            pool.shutdown(cancel_futures=True)


def tell(console: Console, result: Result, *, shortest: bool) -> int:
    if result.failure is None:
        console.print(f"seed {result.seed}: every invariant holds")
        return 0
    command = f"python -m tests.simulation --seed {result.seed}"
    console.print(f"seed {result.seed} fails: {result.failure}\nagain: {command}")
    if shortest:
        short = shrink(result)
        console.print("\n".join(short.trace[-SHOWN:]))
        console.print(f"with {len(short.kept)} of {len(result.kept)} parts of the workload: {short.failure}")
        console.print(f"again: {command} --keep {','.join(map(str, short.kept))}")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
