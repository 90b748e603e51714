"""The topics and worker processes of one test, and what must hold once its log is folded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.runtime.membership import look
from tests.produce import produce
from topologies.faust.durable_table import changelog_topic

ROOT = Path(__file__).parents[3]
PARTITIONS = 4


def await_(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Look until `condition` holds; AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Logs:
    """A commands topic, an events topic and a changelog of their own, for one group."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.group = f"test-{uuid.uuid4().hex[:12]}"
        self.commands = f"{self.group}.commands"
        self.events = f"{self.group}.events"
        self.changelog = changelog_topic(self.group, "counts")
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self._reader = Consumer({"bootstrap.servers": bootstrap, "group.id": self.group, "enable.auto.commit": False})
        self.sent = 0

    def create(self, *names: str) -> None:
        """Create these topics, all three when none is named."""
        new = [
            NewTopic(name, PARTITIONS, 1, config={"cleanup.policy": "compact"} if name == self.changelog else {})
            for name in names or (self.commands, self.events, self.changelog)
        ]
        for created in self.admin.create_topics(new, operation_timeout=30).values():
            created.result(30)
        # Created is not led: until a leader is known, the broker answers that it is not.
        await_(lambda: all(self._led(topic.topic) for topic in new), seconds=30, what="leaders of the new topics")

    def delete(self) -> None:
        """Delete all three."""
        for deleted in self.admin.delete_topics([self.commands, self.events, self.changelog]).values():
            deleted.result(30)

    def _led(self, topic: str) -> bool:
        try:
            self.ends(topic)
        except KafkaException:
            return False
        return True

    def fill(self, count: int, *, keys: int = 997, value: bytes = b"x" * 100) -> None:
        """Append commands to random-looking keys, and return once they are acked."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 10})
        for n in range(self.sent, self.sent + count):
            produce(producer, self.commands, b"key-%d" % (n * 7919 % keys), value)
        assert producer.flush(30) == 0
        self.sent += count

    @contextmanager
    def load(self, rate: int, *, keys: int) -> Iterator[None]:
        """Append commands inside the block, `rate` a second; returns once they are acked."""
        over = threading.Event()
        left: list[int] = []

        def append() -> None:
            producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 0})
            began = time.perf_counter()
            sent = 0
            while not over.wait(max(0.0, began + sent / rate - time.perf_counter())):
                producer.produce(self.commands, key=b"key-%d" % (sent * 7919 % keys), value=b"x" * 100)
                producer.poll(0)
                sent += 1
            left.append(producer.flush(30))
            self.sent += sent

        thread = threading.Thread(target=append)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(60)
        assert left == [0], "not all commands were acked"

    def fill_changelog(self, keys: int, *, row: bytes | None = None) -> None:
        """Append a row of each of so many keys, as if they had been folded. row: all alike; by default `version offset`."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 10})
        for n in range(keys):
            produce(producer, self.changelog, b"key-%d" % n, b"1 %d" % n if row is None else row)
        assert producer.flush(60) == 0

    def ends(self, topic: str) -> list[int]:
        return [self._bounds(topic, p)[1] for p in range(PARTITIONS)]

    def starts(self, topic: str) -> list[int]:
        return [self._bounds(topic, p)[0] for p in range(PARTITIONS)]

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        low, high = self._reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        return low, high

    def workers(self) -> dict[str, tuple[int, ...]] | None:
        """Partitions of the commands by the instance or member id of who has them; None while they are shared anew."""
        (group,) = look(self.bootstrap, {self.group: self.commands})
        return {m.instance or m.member_id: m.partitions for m in group.members} if group.settled else None

    def await_workers(self, count: int, seconds: float = 60) -> None:
        """Wait until so many workers share all partitions."""

        def shared() -> bool:
            found = self.workers() or {}
            return len(found) == count and sorted(chain.from_iterable(found.values())) == list(range(PARTITIONS))

        await_(shared, seconds=seconds, what=f"all partitions with {count} workers")

    def committed(self) -> list[int]:
        tps = [TopicPartition(self.commands, p) for p in range(PARTITIONS)]
        return [tp.offset for tp in self._reader.committed(tps, timeout=10)]

    def folded(self) -> bool:
        """Whether everything is committed."""
        return all(
            c == e or (c < 0 and e == 0) for c, e in zip(self.committed(), self.ends(self.commands), strict=True)
        )

    def await_folded(self, seconds: float = 60) -> None:
        await_(self.folded, seconds=seconds, what=f"{self.committed()} of {self.ends(self.commands)} committed")

    def read(self, topic: str, starts: Sequence[int] | None = None) -> list[Any]:
        """All records of a topic, in offset order for each partition. starts: from these offsets on."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.group}-read"})
        starts = self.starts(topic) if starts is None else starts
        reader.assign([TopicPartition(topic, p, start) for p, start in enumerate(starts)])
        bounds = zip(starts, self.ends(topic), strict=True)
        left = {p: end for p, (start, end) in enumerate(bounds) if end > start}
        found = []
        deadline = time.monotonic() + 60
        while left:
            assert time.monotonic() < deadline, f"{topic} cannot be read up to {left}"
            for message in reader.consume(5000, 0.5):
                assert message.error() is None
                found.append(message)
                partition, offset = message.partition(), message.offset()
                assert partition is not None
                assert offset is not None
                if left.get(partition) == offset + 1:
                    del left[partition]
            for p in list(left):
                # Compaction may have taken the last records: the position passes them all the same.
                if reader.position([TopicPartition(topic, p)])[0].offset >= left[p]:
                    del left[p]
        reader.close()
        return found

    def check(self) -> int:
        """Assert what the fold promises; returns the number of duplicates.

        No command without its event, versions 1..n for each key in command order, a duplicate event byte-identical,
        and the changelog's last row of each key the last version.
        """
        commands: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        for message in self.read(self.commands):
            commands[message.partition(), message.key()].append(message.offset())
        events: dict[tuple[int, bytes], dict[int, bytes]] = defaultdict(dict)
        duplicates = 0
        for message in self.read(self.events):
            version, offset = (int(part) for part in message.value().split())
            mine = events[message.partition(), message.key()]
            if offset in mine:
                duplicates += 1
                assert mine[offset] == message.value(), "a repeated command gave another event"
                continue
            assert version == len(mine) + 1, f"{message.key()!r}: version {version} follows {len(mine)}"
            mine[offset] = message.value()
        assert {at: list(found) for at, found in events.items()} == commands
        rows = {}
        for message in self.read(self.changelog):
            rows[message.partition(), message.key()] = message.value()
        assert rows == {at: list(found.values())[-1] for at, found in events.items()}
        return duplicates


class WorkerProcess:
    """One worker of the counting fold, as a process; or of another `module` that is started as that one is."""

    def __init__(self, logs: Logs, folder: Path, **options: Any) -> None:
        self.logs = logs
        self.name = f"worker-{uuid.uuid4().hex[:6]}"
        self.ready = folder / f"{self.name}.ready"
        self.output = folder / f"{self.name}.log"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
        module = options.pop("module", "tests.integration.faust.counting")
        settings = {
            "group": logs.group,
            "topic": logs.commands,
            "table": "counts",
            "bootstrap": logs.bootstrap,
            "partitions": PARTITIONS,
            "data_dir": str(folder / self.name),
            "ready": str(self.ready),
            "emits": logs.events,
            "session_timeout_s": 6.0,
            **options,
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, json.dumps(settings)],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )

    def await_ready(self, seconds: float = 60) -> None:
        await_(lambda: self.ready.exists() or self.process.poll() is not None, seconds=seconds, what="ready")
        assert self.ready.exists(), self.text()

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self, seconds: float = 25) -> int:
        self.process.terminate()
        return self.process.wait(seconds)

    def await_end(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)


@contextmanager
def worker(logs: Logs, folder: Path, **options: Any) -> Iterator[WorkerProcess]:
    """A worker that is gone when the block ends, whatever happens in it."""
    running = WorkerProcess(logs, folder, **options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.resume()
            running.kill()
