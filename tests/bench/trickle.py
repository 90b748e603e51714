"""A worker under little load: how long a single command waits for its event, and what CPU it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from hdrh.histogram import HdrHistogram

from tests.bench.processor import cpu_seconds
from tests.bench.report import Report
from tests.integration.faust.harness import PARTITIONS, Logs, WorkerProcess, worker

RATE = 50
SECONDS = 15
WARM_UP = 2
TARGETS = {50: 5.0, 99: 25.0}

_Seen = dict[tuple[int, int], float]


def run(kafka: str, folder: Path, report: Report) -> None:
    """Measure from when a command can be read to when its event can be read, both by the same process."""
    logs = Logs(kafka)
    logs.create()
    with worker(logs, folder) as running:
        running.await_ready()
        idle = _spent(running, lambda: time.sleep(3)) / 3
        report.say(f"{RATE} commands a second for {SECONDS} s")
        histogram, spent, count = _measure(logs, running)
    for percentile, target in TARGETS.items():
        waited = histogram.get_value_at_percentile(percentile) / 1000
        report.add(
            f"fold latency, at {RATE}/s: p{percentile}",
            waited,
            "ms",
            beside=(f"of the target of {target:g} ms", waited / target),
            name=f"latency_p{percentile}_ms",
        )
    report.add(
        f"CPU of a worker for one command, at {RATE}/s", spent / count * 1000, "ms", name="trickle_cpu_ms_per_command"
    )
    report.add("CPU of an idle worker", idle * 100, "% of a core", name="idle_cpu_percent")


def _measure(logs: Logs, running: WorkerProcess) -> tuple[HdrHistogram, float, int]:
    commands, events = _Eye(logs, logs.commands, lambda _: None), _Eye(logs, logs.events, _source)
    histogram = HdrHistogram(1, 60_000_000, 3)
    try:
        _open_loop(logs, RATE * WARM_UP)
        count = RATE * SECONDS
        spent = _spent(running, lambda: _open_loop(logs, count))
        deadline = time.monotonic() + 30
        while len(events.seen) < count + RATE * WARM_UP:
            assert time.monotonic() < deadline, f"{len(events.seen)} events; the worker said: {running.text()}"
            time.sleep(0.05)
    finally:
        commands.close()
        events.close()
    for at, when in sorted(events.seen.items(), key=lambda item: item[1])[RATE * WARM_UP :]:
        histogram.record_value(max(1, int((when - commands.seen[at]) * 1_000_000)))
    return histogram, spent, count


def _source(value: bytes | None) -> int | None:
    """The offset of the command that an event of the counting fold came from."""
    return None if value is None else int(value.split()[1])


class _Eye:
    """Notes when each record of a topic could be read, by (partition, offset of the command)."""

    def __init__(self, logs: Logs, topic: str, offset_of: Callable[[bytes | None], int | None]) -> None:
        self.seen: _Seen = {}
        self._offset_of = offset_of
        self._reader = Consumer(
            {"bootstrap.servers": logs.bootstrap, "group.id": f"{logs.group}-{topic}", "fetch.wait.max.ms": 100}
        )
        self._reader.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._closed.is_set():
            message = self._reader.poll(0.1)
            if message is None:
                continue
            now = time.perf_counter()
            assert message.error() is None
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            source = self._offset_of(message.value())
            self.seen[partition, offset if source is None else source] = now

    def close(self) -> None:
        self._closed.set()
        self._thread.join(10)
        self._reader.close()


def _open_loop(logs: Logs, count: int) -> None:
    producer = Producer({"bootstrap.servers": logs.bootstrap, "partitioner": "murmur2_random", "linger.ms": 0})
    began = time.perf_counter()
    for n in range(count):
        time.sleep(max(0.0, began + n / RATE - time.perf_counter()))
        producer.produce(logs.commands, key=b"key-%d" % (n * 7919 % 997), value=b"x" * 100)
        producer.poll(0)
    assert producer.flush(30) == 0


def _spent(running: WorkerProcess, work: Callable[[], None]) -> float:
    """CPU seconds that the worker takes while `work` runs."""
    before = cpu_seconds(running.process.pid)
    work()
    assert running.process.poll() is None, running.text()
    return cpu_seconds(running.process.pid) - before
