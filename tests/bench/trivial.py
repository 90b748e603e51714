"""What the Faust runtime adds: the same counting fold in a bare confluent loop, and as a worker with table and changelog."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.field import pace
from tests.bench.processor import cpu_seconds
from tests.bench.report import Report
from tests.integration.faust.harness import Logs, worker
from tests.wheel import ROOT

KEYS = 9_973
ROUNDS = 3
RECOVERY_TARGET = 1_000_000 / 30
"""Keys a second: a table of a million in 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    per_s: float
    cpu_s: float


def run(kafka: str, folder: Path, report: Report, count: int) -> None:
    """Measure over `count` records, floor and runtime in turns: what else the machine does then meets both."""
    logs = _logs(kafka)
    report.say(f"filling a topic with {count:,} trivial commands")
    logs.fill(count, keys=KEYS)
    floors, ours = [], []
    for n in range(ROUNDS):
        report.say(f"bare loop and runtime, round {n + 1} of {ROUNDS}")
        mine = _group_of(logs)
        floors.append(_floor(logs, count))
        ours.append(_ours(mine, folder, count))
    floor, fold = (statistics.median(r.per_s for r in runs) for runs in (floors, ours))
    report.add("bare confluent loop, trivial fold", floor, "records/s", name="floor_per_s")
    report.add(
        "the same through the Faust runtime, with table and changelog",
        fold,
        "records/s",
        beside=("of the bare loop", fold / floor),
        name="trivial_fold_per_s",
    )
    report.add("overhead: the runtime beside the bare loop", fold / floor, "of it", name="overhead_ratio")
    for name, runs in (("floor_cpu_us", floors), ("trivial_fold_cpu_us", ours)):
        report.note(name, statistics.median(r.cpu_s for r in runs) / count * 1e6)
    report.say(f"recovering a table of {count:,} keys")
    _recovery(kafka, folder, report, count)


def _logs(kafka: str) -> Logs:
    logs = Logs(kafka)
    logs.create()
    return logs


def _floor(logs: Logs, count: int) -> _Run:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.trivial_floor", logs.bootstrap, logs.commands, logs.events, str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return _Run(**json.loads(done.stdout))


def _group_of(logs: Logs) -> Logs:
    """A new group over the same commands, with topics of its own for all that it writes."""
    mine = Logs(logs.bootstrap)
    mine.commands = logs.commands
    mine.create(mine.events, mine.changelog)
    return mine


def _ours(logs: Logs, folder: Path, count: int) -> _Run:
    with worker(logs, folder) as running:
        started = 0.0

        def appended() -> int:
            nonlocal started
            assert running.process.poll() is None, running.text()
            found = sum(logs.ends(logs.events))
            if not found:
                # What it takes to start is not the fold's.
                started = cpu_seconds(running.process.pid)
            return found

        measured = pace(appended, count, seconds=120)
        cpu = cpu_seconds(running.process.pid) - started
        logs.await_folded()
        assert running.terminate() == 0
    return _Run(per_s=measured.rate, cpu_s=cpu)


def _recovery(kafka: str, folder: Path, report: Report, keys: int) -> None:
    """Start a worker on a full changelog. What a start takes anyway is in it; part `size` measures without, and more keys."""
    logs = _logs(kafka)
    logs.fill_changelog(keys)
    seconds = _seconds_to_ready(logs, folder)
    report.add(
        f"table recovery, {keys:,} keys, the start of the worker included",
        keys / seconds,
        "keys/s",
        beside=("of the target of 33,333", keys / seconds / RECOVERY_TARGET),
        name="recovery_keys_per_s",
    )


def _seconds_to_ready(logs: Logs, folder: Path) -> float:
    began = time.perf_counter()
    with worker(logs, folder) as running:
        running.await_ready()
        seconds = time.perf_counter() - began
        # One that is killed stays in the group until its session is over, and the next start waits for that.
        assert running.terminate() == 0, running.text()
        return seconds
