"""A table of cases of a chosen size, and workers of stage `cases` on it, on topics that nothing else uses."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient

from infra.cli.stack.role import Role
from infra.engines.process import Command
from infra.runtime.kafka import create_topics
from schemas.topics import CHANGELOG_CONFIG
from tests.bench.field import PARTITIONS, Field
from tests.bench.processor import cpu_seconds
from tests.bench.stage_worker import stage
from tests.bench.story import Stories
from tests.produce import produce
from tests.wheel import ROOT

ROW_BYTES: Final = 1_000
_POLL_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """CPU seconds of a process, and what it holds in memory: its own and the most that it ever held, in bytes."""

    cpu: float
    resident: int
    peak: int


class StageWorker(Role):
    """A worker of stage `cases` on the topics of `name`."""

    def start(self) -> None:
        argv = (sys.executable, "-m", "tests.bench.stage_worker", self.name)
        self.process.start(Command(argv=argv, cwd=ROOT, env=self._env))

    def spent(self) -> Spent:
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if ":" in line
        )
        return Spent(
            cpu=cpu_seconds(self.pid),
            resident=int(status["VmRSS"].split()[0]) * 1024,
            peak=int(status["VmHWM"].split()[0]) * 1024,
        )


class CasesTable:
    """The log of `size` cases: their rows in the changelog, and commands about them."""

    def __init__(self, field: Field, size: int) -> None:
        self.name = f"bench-{uuid.uuid4().hex[:8]}"
        self.size = size
        self.row_bytes = 0
        """Bytes of the keys and values of the rows."""
        self._field = field
        self._stage = stage(self.name)
        self._stories = Stories(self.name, row_bytes=ROW_BYTES)
        self._asked = 0

    @property
    def _topics(self) -> list[str]:
        made = self._stage
        return [made.dead_letters, *(topic for topic in (made.reads, made.events, made.copies) if topic is not None)]

    @property
    def changelog(self) -> str:
        return self._stage.changelog

    def create(self) -> None:
        settings: dict[str, Mapping[str, str]] = {topic: {} for topic in self._topics}
        create_topics(self._field.kafka, {**settings, self.changelog: CHANGELOG_CONFIG}, partitions=PARTITIONS)

    def delete(self) -> None:
        """Delete the topics: a million rows take a gigabyte of disk."""
        admin = AdminClient({"bootstrap.servers": self._field.kafka, "log_level": 3})
        for deleted in admin.delete_topics([*self._topics, self.changelog], operation_timeout=30).values():
            deleted.result(30)

    def fill(self, tell: Callable[[int], None]) -> None:
        """Append the rows, as if the cases had been folded."""
        producer = self._field.producer()
        for n in range(self.size):
            life = self._stories.life(n)
            self.row_bytes += len(life.key) + len(life.row)
            produce(producer, self.changelog, life.key, life.row)
            if n % _POLL_EVERY == 0:
                tell(n)
        assert producer.flush(120) == 0
        tell(self.size)

    def commands(self, count: int) -> list[tuple[bytes, bytes]]:
        """Return commands about cases all over the table, each once a round."""
        first = self._asked
        self._asked += count
        return [self._stories.command(m * 7_919 % self.size, m) for m in range(first, first + count)]

    def folded(self) -> int:
        """How many events there are."""
        return self._field.ends(f"{self.name}.events")

    def ask(self, commands: Iterable[tuple[bytes, bytes]]) -> None:
        producer = self._field.producer(**{"linger.ms": 5})
        for key, value in commands:
            produce(producer, self._stage.reads, key, value)
        assert producer.flush(120) == 0

    @contextmanager
    def worker(self) -> Iterator[StageWorker]:
        """A worker that runs inside the block."""
        field = self._field
        port = field.free_port()
        made = StageWorker(
            self.name,
            log=field.folder / "logs" / f"{self.name}-{port}.log",
            env={
                "CASESTREAM_KAFKA": field.kafka,
                "CASESTREAM_PARTITIONS": str(PARTITIONS),
                "CASESTREAM_DATA_DIR": str(field.folder / f"{self.name}-{port}"),
            },
            health_port=port,
            cwd=ROOT,
        )
        made.start()
        try:
            yield made
        finally:
            made.process.stop()


def await_readiness(worker: StageWorker, seconds: float = 300) -> float:
    """Return how many seconds it took until the worker was ready, from now."""
    began = time.perf_counter()
    while (cause := worker.readiness()) is not None:
        if worker.pid is None:
            raise worker.process.explain()
        if time.perf_counter() - began > seconds:
            raise TimeoutError(f"{worker.name} is not ready after {seconds:.0f} s: {cause}")
        time.sleep(0.05)
    return time.perf_counter() - began
