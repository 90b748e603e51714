"""A changelog of cases that are to be closed, most of them in days and some of them soon; and who sees when they are."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from infra.engines.process import Command
from infra.runtime.kafka import create_topics
from schemas import codec
from schemas.topics import CHANGELOG_CONFIG
from sources.clock import Clock
from streams.automation.settings import Automation
from streams.automation.stage import INACTIVE
from streams.automation.watch import Watch
from tests.bench.cases_table import StageWorker
from tests.bench.field import PARTITIONS, Field
from tests.bench.timer_worker import stage
from tests.produce import produce
from tests.wheel import ROOT
from topologies.guard import Guard
from topologies.partition import partition_of
from topologies.timers import Timer, timer_key

CLOSE_AFTER: Final = 60
_PROJECT: Final = str(uuid.uuid4())
_TENANT: Final = str(uuid.uuid4())
_POLL_EVERY: Final = 1_000
_FAR: Final = 3 * 24 * 3_600_000


class TimerWorker(StageWorker):
    """A worker of stage `automation` on the topics of `name`."""

    def start(self) -> None:
        argv = (sys.executable, "-m", "tests.bench.timer_worker", self.name)
        self.process.start(Command(argv=argv, cwd=ROOT, env=self._env))


class TimerTable:
    """dues: of the timers that were put here, by case."""

    def __init__(self, field: Field) -> None:
        self.name = f"bench-{uuid.uuid4().hex[:8]}"
        self.row_bytes = 0
        self.dues: dict[str, int] = {}
        self._field = field
        self._stage = stage(self.name)
        self._made = 0

    @property
    def commands(self) -> str:
        """The topic in which the cases are told."""
        return self._stage.emits[0]

    @property
    def _topics(self) -> tuple[str, ...]:
        return (self._stage.reads, *self._stage.emits, self._stage.dead_letters)

    def create(self) -> None:
        settings: dict[str, Mapping[str, str]] = {topic: {} for topic in self._topics}
        create_topics(self._field.kafka, {**settings, self._stage.changelog: CHANGELOG_CONFIG}, partitions=PARTITIONS)
        producer = self._field.producer()
        asked = Automation(project_id=_PROJECT, close_after=CLOSE_AFTER)
        row = Guard(0, 0).encode(codec.encode_row(asked))
        for partition in range(PARTITIONS):
            producer.produce(self._stage.changelog, row, f"{_TENANT}|project/OPS".encode(), partition)
        assert producer.flush(30) == 0

    def delete(self) -> None:
        admin = AdminClient({"bootstrap.servers": self._field.kafka, "log_level": 3})
        for deleted in admin.delete_topics([*self._topics, self._stage.changelog], operation_timeout=30).values():
            deleted.result(30)

    def fill_far(self, count: int, tell: Callable[[int], None]) -> None:
        """Append cases that are to be closed in some days."""
        now, producer = round(time.time() * 1_000), self._field.producer()
        for n in range(count):
            self._put(producer, now + _FAR + n)
            if n % _POLL_EVERY == 0:
                tell(n)
        assert producer.flush(120) == 0
        tell(count)

    def fill_near(self, first: int, per_second: int, seconds: int) -> None:
        """Append cases that are to be closed from the moment `first` on, evenly."""
        producer = self._field.producer()
        for n in range(per_second * seconds):
            due = first + n * 1_000 // per_second
            self.dues[self._put(producer, due)] = due
        assert producer.flush(120) == 0

    def _put(self, producer: Producer, due: int) -> str:
        """Append a case and its timer, as if an event of the case had been folded."""
        self._made += 1
        n = self._made
        case_id = str(uuid.UUID(int=uuid.uuid4().int))
        key = f"{_TENANT}/{case_id}"
        watch = Watch(
            version=1, project_id=_PROJECT, project_key="OPS", ended=False, active_at=due - CLOSE_AFTER * 1_000
        )
        cause = uuid.UUID(case_id).bytes
        row = Guard(0, n).encode(codec.encode_row(watch))
        timer = Timer(0, n, 0, due, cause, cause).encode()
        partition = partition_of(key.encode(), PARTITIONS)
        for name, value in ((key, row), (timer_key(key, INACTIVE), timer)):
            self.row_bytes += len(name) + len(value)
            produce(producer, self._stage.changelog, name.encode(), value, partition)
        return case_id

    @contextmanager
    def worker(self) -> Iterator[TimerWorker]:
        """A worker that runs inside the block."""
        field, port = self._field, self._field.free_port()
        made = TimerWorker(
            self.name,
            log=field.folder / "logs" / f"{self.name}.log",
            env={
                "CASESTREAM_KAFKA": field.kafka,
                "CASESTREAM_PARTITIONS": str(PARTITIONS),
                # Killed, it gets its partitions back at once.
                "CASESTREAM_INSTANCE_ID": self.name,
                "CASESTREAM_DATA_DIR": str(field.folder / self.name),
            },
            health_port=port,
            cwd=ROOT,
        )
        made.start()
        try:
            yield made
        finally:
            made.process.stop()

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """The clock, inside the block."""
        clock, stop = Clock(self._field.kafka, [self._stage.reads], partitions=PARTITIONS), threading.Event()
        thread = threading.Thread(target=clock.run, args=(stop,), name="clock")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def closed(self, until: float) -> dict[str, float]:
        """Read until a moment, or until all that is due is there; return when each case's command was there, in ms."""
        seen: dict[str, float] = {}
        reader = Consumer(
            {"bootstrap.servers": self._field.kafka, "group.id": uuid.uuid4().hex, "enable.auto.commit": False}
        )
        reader.assign([TopicPartition(self.commands, p, 0) for p in range(PARTITIONS)])
        try:
            while len(seen) < len(self.dues) and time.time() < until:
                for message in reader.consume(5_000, 0.02):
                    now, key = time.time() * 1_000, message.key()
                    assert key is not None
                    case_id = key.decode().partition("/")[2]
                    assert case_id not in seen, f"{case_id} was closed twice"
                    seen[case_id] = now
        finally:
            reader.close()
        return seen
