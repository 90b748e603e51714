"""What a change of a stage's workers costs: how long each partition stands still, with 100 000 keys in those that move."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from infra.runtime.membership import leave
from tests.bench.bench import Bench
from tests.bench.report import Report
from tests.integration.faust.harness import PARTITIONS, Logs, WorkerProcess, await_, worker

MOVED_KEYS: Final = 100_000
KEYS: Final = 2 * MOVED_KEYS
"""In all partitions: one worker of two has half of them."""
ROW_BYTES: Final = 1_000
RATE: Final = 400
SESSION_S: Final = 15.0
_STEADY_S: Final = 2.0


def run(bench: Bench) -> None:
    """Measure each kind of change once, under a steady load on all partitions."""
    with tempfile.TemporaryDirectory() as folder:
        measure(bench.field.kafka, Path(folder), bench.report)


def measure(kafka: str, folder: Path, report: Report) -> None:
    """Take a group from one worker to two and back, in each way in which that happens."""
    logs = Logs(kafka)
    logs.create()
    report.say(f"filling the changelog with {KEYS:,} rows of {ROW_BYTES} bytes")
    logs.fill_changelog(KEYS, row=b"0 -1".ljust(ROW_BYTES))
    with ExitStack() as held:

        def member(name: str, instance: str | None) -> WorkerProcess:
            (folder / name).mkdir(exist_ok=True)
            return held.enter_context(worker(logs, folder / name, instance_id=instance, session_timeout_s=SESSION_S))

        first = member("one", "one")
        first.await_ready(120)
        held.enter_context(logs.load(RATE, keys=KEYS))
        with _pause(logs, report, "a second worker joins", "join_s"):
            second = member("two", "two")
            second.await_ready()
        with _pause(logs, report, "a worker restarts with its instance id", "restart_s"):
            assert second.terminate() == 0
            second = member("two-again", "two")
            second.await_ready()
        with _pause(logs, report, "a worker leaves for good", "leave_s"):
            assert second.terminate() == 0
            assert leave(kafka, [logs.group], "two") == [logs.group]
            logs.await_workers(1, seconds=90)
        other = member("three", None)
        other.await_ready()
        with _pause(logs, report, f"kill -9, session time-out {SESSION_S:g} s", "kill_s"):
            other.kill()
            logs.await_workers(1, seconds=90)
    report.say("done")


@contextmanager
def _pause(logs: Logs, report: Report, what: str, name: str) -> Iterator[None]:
    """Say the longest time without an event of each partition, from a moment before the block until it flows again."""
    report.say(what)
    before = logs.ends(logs.events)
    time.sleep(_STEADY_S)
    yield
    at = logs.ends(logs.events)
    await_(
        lambda: all(now > then + RATE // PARTITIONS for now, then in zip(logs.ends(logs.events), at, strict=True)),
        seconds=90,
        what="events of all partitions",
    )
    time.sleep(_STEADY_S)
    moments: dict[int, list[int]] = defaultdict(list)
    for message in logs.read(logs.events, before):
        moments[message.partition()].append(message.timestamp()[1])
    gaps = [max(b - a for a, b in pairwise(m)) / 1000 for _, m in sorted(moments.items())]
    report.say(f"   {gaps}")
    report.add(what, max(gaps), "s", name=name)
