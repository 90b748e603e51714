"""Against the number of workers of one stage: what they fold together, and what a command costs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Final

from tests.bench.bench import Bench
from tests.bench.cases_table import CasesTable, StageWorker, await_readiness
from tests.bench.field import pace
from tests.bench.report import Report, cores

SIZE: Final = 100_000
WORKERS: Final = (1, 2, 4)
COMMANDS: Final = 60_000
SETTLED_SECONDS: Final = 2.0


def run(bench: Bench) -> None:
    """Measure with each number of workers, on topics of its own and a table of 100 000 cases."""
    report = bench.report
    size = min(SIZE, max(bench.sizes))
    for count in WORKERS:
        table = CasesTable(bench.field, size)
        table.create()
        report.say(f"{count} of {WORKERS[-1]} workers; filling the changelog with {size:,} rows")
        table.fill(report.progress(size))
        _measure(table, report, count)
        table.delete()


def _measure(table: CasesTable, report: Report, count: int) -> None:
    commands = table.commands(COMMANDS)
    with ExitStack() as held:
        workers = [held.enter_context(table.worker()) for _ in range(count)]
        _settle(workers)
        report.say(f"{COMMANDS:,} commands")
        before = sum(worker.spent().cpu for worker in workers)
        table.ask(commands)
        measured = pace(table.folded, COMMANDS, role=workers[0])
        spent = sum(worker.spent().cpu for worker in workers) - before
    what = f"case fold, {count} {'worker' if count == 1 else 'workers'} on {cores()} cores"
    report.add(what, measured.rate, "commands/s", name="case_fold_per_s", at=count)
    report.add(f"{what}: CPU of a command", spent / COMMANDS * 1e6, "us", name="case_fold_cpu_us", at=count)


def _settle(workers: list[StageWorker]) -> None:
    """Return once all are ready and stay so: each that joins makes the others share their partitions anew."""
    since = time.monotonic()
    while time.monotonic() - since < SETTLED_SECONDS:
        for worker in workers:
            if worker.readiness() is not None:
                await_readiness(worker)
                since = time.monotonic()
        time.sleep(0.1)
