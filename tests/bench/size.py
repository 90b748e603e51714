"""Against the size of the table: how long a worker takes to recover it, what it holds in memory, and what a command costs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from tests.bench.bench import Bench
from tests.bench.cases_table import ROW_BYTES, CasesTable, StageWorker, await_readiness
from tests.bench.field import pace
from tests.bench.report import Report
from tests.wheel import ROOT

COMMANDS: Final = 40_000
GIGABYTE: Final = 1e9
MEASURABLE: Final = 0.3
"""Seconds by which the starts of two workers differ anyway."""


def run(bench: Bench) -> None:
    """Measure at each size, on topics of its own."""
    field, report = bench.field, bench.report
    report.say("a worker on an empty table, for what a start takes")
    empty = CasesTable(field, 0)
    empty.create()
    with empty.worker() as worker:
        start = await_readiness(worker)
        idle = worker.spent()
    empty.delete()
    report.note("start_s", start)
    report.note("empty_resident_bytes", idle.resident)
    for size in bench.sizes:
        table = CasesTable(field, size)
        table.create()
        report.say(f"filling the changelog with {size:,} rows of {ROW_BYTES:,} bytes")
        table.fill(report.progress(size))
        _measure(table, report, start, field.kafka)
        table.delete()


def _measure(table: CasesTable, report: Report, start: float, kafka: str) -> None:
    size = table.size
    # The first run reads what the broker may have to fetch from the disk.
    floor = min((_floor(kafka, table.changelog) for _ in range(2)), key=lambda run: run["seconds"])
    commands = table.commands(COMMANDS)
    with table.worker() as worker:
        ready = await_readiness(worker)
        held = worker.spent()
        _recovered(table, report, ready=ready, start=start, floor=floor["seconds"])
        report.add(
            f"CPU of a start with {size:,} keys",
            held.cpu,
            "s",
            beside=("of the bare loop's", held.cpu / floor["cpu"]),
            name="ready_cpu_s",
            at=size,
        )
        report.add(
            f"resident memory with {size:,} cases of {ROW_BYTES:,} bytes",
            held.resident / GIGABYTE,
            "GB",
            beside=("of the bytes of keys and rows", held.resident / table.row_bytes),
            name="resident_gb",
            at=size,
        )
        report.add("the bytes of keys and rows alone", table.row_bytes / GIGABYTE, "GB", name="raw_gb", at=size)
        report.add("the most it held while it recovered", held.peak / GIGABYTE, "GB", name="peak_gb", at=size)
        _folded(table, report, worker, commands)


def _recovered(table: CasesTable, report: Report, *, ready: float, start: float, floor: float) -> None:
    size = table.size
    report.add(f"from the start of a worker to ready, {size:,} keys", ready, "s", name="ready_s", at=size)
    report.add(f"bare loop into a dict, {size:,} keys", floor, "s", name="recovery_floor_s", at=size)
    recovery = ready - start
    if recovery < MEASURABLE:
        report.say(f"the recovery of {size:,} keys does not stand out of what a start takes")
        return
    report.add(
        f"table recovery, {size:,} keys",
        recovery,
        "s",
        beside=("times the bare loop's", recovery / floor),
        name="recovery_s",
        at=size,
    )
    report.add(f"table recovery, {size:,} keys", size / recovery, "keys/s", name="recovery_keys_per_s", at=size)


def _folded(table: CasesTable, report: Report, worker: StageWorker, commands: list[tuple[bytes, bytes]]) -> None:
    size = table.size
    report.say(f"{COMMANDS:,} commands about them")
    before = worker.spent().cpu
    table.ask(commands)
    measured = pace(table.folded, COMMANDS, role=worker)
    spent = worker.spent()
    report.add(
        f"case fold, commands about {size:,} cases", measured.rate, "commands/s", name="case_fold_per_s", at=size
    )
    report.add(
        f"CPU of a command about one of {size:,} cases",
        (spent.cpu - before) / COMMANDS * 1e6,
        "us",
        name="case_fold_cpu_us",
        at=size,
    )
    report.add(
        f"resident memory after {COMMANDS:,} commands", spent.resident / GIGABYTE, "GB", name="folded_gb", at=size
    )


def _floor(kafka: str, changelog: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.table_floor", kafka, changelog],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
