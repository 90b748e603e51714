"""What a change of a stage's workers costs: how long each partition stands still, with 100 000 keys in those that move."""

from __future__ import annotations

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
from topologies.faust.bind import SESSION_TIMEOUT_S

MOVED_KEYS: Final = 100_000
KEYS: Final = 2 * MOVED_KEYS
"""In all partitions: each worker of two has half of them."""
ROW_BYTES: Final = 1_000
RATE: Final = 400
"""Commands a second: each partition has one every ten milliseconds."""
_STEADY_S: Final = 2.0


def run(bench: Bench) -> None:
    """Take a group from one worker to two and back, in each way in which that happens, under a steady load."""
    measure(bench.field.kafka, bench.field.folder, bench.report)


def measure(kafka: str, folder: Path, report: Report) -> None:
    """Measure on topics of its own. folder: for logs and data of the workers."""
    logs = Logs(kafka)
    logs.create()
    report.say(f"filling the changelog with {KEYS:,} rows of {ROW_BYTES} bytes")
    logs.fill_changelog(KEYS, row=b"0 -1".ljust(ROW_BYTES))
    with ExitStack() as held:

        def member(instance: str | None) -> WorkerProcess:
            return held.enter_context(worker(logs, folder, instance_id=instance, session_timeout_s=SESSION_TIMEOUT_S))

        first = member("one")
        first.await_ready(120)
        held.enter_context(logs.load(RATE, keys=KEYS))
        with _pause(logs, report, "a second worker joins", "join_s"):
            second = member("two")
            second.await_ready()
        with _pause(logs, report, "a worker restarts and keeps its instance id", "restart_s"):
            assert second.terminate() == 0, second.text()
            second = member("two")
            second.await_ready()
        with _pause(logs, report, "a worker stops and leaves for good", "leave_s"):
            assert second.terminate() == 0, second.text()
            assert leave(kafka, [logs.group], "two") == [logs.group]
            logs.await_workers(1)
        other = member(None)
        other.await_ready()
        logs.await_workers(2)
        with _pause(logs, report, f"kill -9, with a session of {SESSION_TIMEOUT_S:g} s", "kill_s"):
            other.kill()
            logs.await_workers(1, seconds=90)
    logs.delete()


@contextmanager
def _pause(logs: Logs, report: Report, what: str, name: str) -> Iterator[None]:
    """Say the longest time without an event of any partition, from before the block until all flow again."""
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
    stood = sorted(max(later - sooner for sooner, later in pairwise(m)) / 1000 for m in moments.values())
    report.add(f"{what}: longest pause of a partition, {MOVED_KEYS:,} keys moved", stood[-1], "s", name=name)
    report.note(f"{name}_others", stood[0])
