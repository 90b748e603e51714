"""Against the number of case events: how long it takes to rebuild the views from the log, compared and switched."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any, Final

from tests.bench.bench import Bench
from tests.bench.event_log import Views, event_log
from tests.bench.report import Report
from tests.wheel import ROOT

VIEWS: Final = {"postgres": "Postgres", "elasticsearch": "Elasticsearch"}


def run(bench: Bench) -> None:
    """Measure at each size, on a log, a database and an index of its own."""
    report = bench.report
    for size in bench.sizes:
        report.say(f"filling a log with {size:,} case events")
        with event_log(bench.field, size, report.progress(size)) as views:
            report.say("reading and decoding them")
            floor = _ran("floor", views)
            report.add(f"reading and decoding {size:,} case events", floor["seconds"], "s", name="floor_s", at=size)
            seconds = sum(_rebuilt(kind, views, report, size, floor) for kind in VIEWS)
        report.add(
            f"rebuild of both views, one after the other, {size:,} case events", seconds, "s", name="both_s", at=size
        )


def _rebuilt(kind: str, views: Views, report: Report, size: int, floor: dict[str, Any]) -> float:
    report.say(f"rebuilding {VIEWS[kind]}")
    came = _ran(kind, views)
    assert came["records"] == size, came
    seconds: float = came["seconds"]
    report.add(
        f"rebuild of {VIEWS[kind]}, {size:,} events of {came['cases']:,} cases",
        seconds,
        "s",
        beside=("times reading and decoding", seconds / floor["seconds"]),
        name=f"{kind}_s",
        at=size,
    )
    report.add(f"rebuild of {VIEWS[kind]}", size / seconds, "events/s", name=f"{kind}_events_per_s", at=size)
    report.add(
        f"CPU of the program that rebuilds {VIEWS[kind]}, an event",
        came["cpu"] / size * 1e6,
        "us",
        beside=("times reading and decoding", came["cpu"] / floor["cpu"]),
        name=f"{kind}_cpu_us",
        at=size,
    )
    report.add("the most memory that it held", came["peak_bytes"] / 1e9, "GB", name=f"{kind}_peak_gb", at=size)
    return seconds


def _ran(kind: str, views: Views) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.rebuild_worker", kind, json.dumps(asdict(views))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    came: dict[str, Any] = json.loads(done.stdout)
    return came
