"""How late timers fire, with many pending and a thousand due a second; what those that are pending cost."""

from __future__ import annotations

import time
from typing import Final

from tests.bench.bench import Bench
from tests.bench.cases_table import await_readiness
from tests.bench.field import Field
from tests.bench.report import Report, short
from tests.bench.timer_table import TimerTable

PER_SECOND: Final = 1_000
SECONDS: Final = 20
"""For how long they are due, once the worker is there."""

STARTS: Final = 8
RECOVERED_PER_S: Final = 60_000
"""A guess of how many rows a worker recovers, for when the first timers are due. Those that come too early are not counted."""

SETTLED: Final = 3.0
"""Seconds after it is ready, in which it catches up with what was due before."""


def run(bench: Bench) -> None:
    """Measure at each size, on topics of its own."""
    for size in bench.sizes:
        _measure(bench.field, bench.report, size)


def _measure(field: Field, report: Report, size: int) -> None:
    table = TimerTable(field)
    table.create()
    report.say(f"filling the changelog with {size:,} cases that each have a timer")
    table.fill_far(size, report.progress(size))
    wait = STARTS + 2 * size // RECOVERED_PER_S
    table.fill_near(round(time.time() + wait) * 1_000, PER_SECOND, SECONDS + 5)
    with table.ticking(), table.worker() as worker:
        ready = await_readiness(worker)
        counted = (time.time() + SETTLED) * 1_000
        before = worker.spent()
        report.add(f"from the start of a worker to ready, {size:,} timers", ready, "s", name="ready_s", at=size)
        seen = table.closed(max(table.dues.values()) / 1_000 + 10)
        after = worker.spent()
    missing = len(table.dues) - len(seen)
    early = sum(seen[case] < table.dues[case] for case in seen)
    if missing or early:
        raise AssertionError(f"{missing} timers did not fire, {early} fired before their time")
    late = sorted((seen[case] - due) / 1_000 for case, due in table.dues.items() if due >= counted)
    if len(late) < 10 * PER_SECOND:
        raise AssertionError(f"only {len(late)} timers were due while the worker was there")
    report.note(f"fired_{short(size)}", len(late))
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
        value = late[int(len(late) * share)]
        what = f"lateness {name} with {size:,} pending and {PER_SECOND:,} due a second"
        report.add(what, value, "s", name=f"lateness_{name}_s", at=size)
    report.add(
        f"resident memory with {size:,} cases and timers",
        after.resident / 1e9,
        "GB",
        beside=("of the bytes of keys and rows", after.resident / table.row_bytes),
        name="resident_gb",
        at=size,
    )
    report.add("the most it held", after.peak / 1e9, "GB", name="peak_gb", at=size)
    cpu = (after.cpu - before.cpu) / len(seen)
    report.add("CPU of a timer that fires", cpu * 1e6, "us", name="cpu_us", at=size)
    table.delete()
