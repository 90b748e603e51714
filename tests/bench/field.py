"""Where the benchmarks run: engines of their own, topics, tenants with projects, and roles that start when told."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from infra.cli.bootstrap import Prepared, prepare
from infra.cli.stack.role import Role
from infra.engines import Ports, start
from infra.engines.ports import any_free
from infra.runtime.kafka import PRODUCER
from schemas import codec
from streams.config.commands import CreateProject
from streams.envelope import Envelope
from streams.ids import derive
from streams.text import Sealed
from streams.topics import CONFIG_COMMANDS, CONFIG_EVENTS
from tests.engines import data_folder
from topologies.graph import Stage

PARTITIONS: Final = 4
TENANTS: Final = 16
"""As many tenants, each with one project: their keys spread over the partitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A tenant's project. user: whoever acts in it."""

    tenant_id: str
    project_id: str
    project_key: str


@dataclass(slots=True)
class Field:
    """Engines that are ready, and what was made on them."""

    prepared: Prepared
    folder: Path
    places: tuple[Place, ...] = ()
    owner: str = ""
    """DSN of the owner of the database, who may make others."""
    _held: ExitStack = field(default_factory=ExitStack)
    _reader: Consumer | None = None
    _ports: set[int] = field(default_factory=set)

    @property
    def kafka(self) -> str:
        return self.prepared.env["CASESTREAM_KAFKA"]

    def producer(self, **settings: Any) -> Producer:
        return Producer(
            {
                **PRODUCER,
                "linger.ms": 20,
                "batch.size": 262_144,
                "queue.buffering.max.messages": 1_000_000,
                **settings,
                "bootstrap.servers": self.kafka,
            }
        )

    def ends(self, topic: str) -> int:
        """How many records were ever appended to a topic."""
        return sum(self.ends_of(topic))

    def ends_of(self, topic: str) -> list[int]:
        """The same, by partition."""
        if self._reader is None:
            # One for all: to make one for each look took more of the machine than some of what is measured.
            self._reader = Consumer({"bootstrap.servers": self.kafka, "group.id": uuid.uuid4().hex})
            self._held.callback(self._reader.close)
        return [self._reader.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in range(PARTITIONS)]

    def await_read(self, stage: Stage, seconds: float = 120) -> None:
        """Return once a stage that runs has folded all that its topic has by now."""
        reader = Consumer({"bootstrap.servers": self.kafka, "group.id": stage.group})
        deadline = time.monotonic() + seconds
        try:
            ends = self.ends_of(stage.reads)
            while any(
                at.offset < end
                for at, end in zip(
                    reader.committed([TopicPartition(stage.reads, p) for p in range(PARTITIONS)], timeout=30),
                    ends,
                    strict=True,
                )
                if end
            ):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"stage {stage.name} has not read {stage.reads} to its end")
                time.sleep(0.1)
        finally:
            reader.close()

    @contextmanager
    def role(self, name: str, **env: str) -> Iterator[Role]:
        """A role that runs inside the block."""
        port = any_free(self._ports)
        self._ports.add(port)
        made = Role(
            name,
            log=self.folder / "logs" / f"{name}.log",
            env={**self.prepared.env, **env},
            health_port=port,
            cwd=self.folder,
        )
        made.start()
        try:
            yield made
        finally:
            made.process.stop()

    def close(self) -> None:
        """Let go of what it holds; the engines stay."""
        self._held.close()

    def free_port(self) -> int:
        port = any_free(self._ports)
        self._ports.add(port)
        return port


def await_ready(role: Role, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while (cause := role.readiness()) is not None:
        if role.process.pid is None:
            raise role.process.explain()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{role.name} is not ready: {cause}")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Pace:
    """Records a second between the first that was seen and the last."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds if self.seconds else float("nan")


def pace(count: Callable[[], int], until: int, *, role: Role | None = None, seconds: float = 900) -> Pace:
    """Watch a count that grows from what it is to `until`. What came before the first look at work is not counted."""
    before = count()
    first: tuple[float, int] | None = None
    deadline = time.monotonic() + seconds
    while True:
        now, seen = time.perf_counter(), count()
        if first is None and seen > before:
            first = (now, seen)
        if seen >= until:
            assert first is not None
            return Pace(seen - first[1], now - first[0])
        if role is not None and role.process.pid is None:
            raise role.process.explain()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seen} of {until} after {seconds:.0f} s")
        time.sleep(0.05)


@contextmanager
def opened(tell: Callable[[str], None]) -> Iterator[Field]:
    """Give the field, with its tenants' projects known to the stages."""
    with ExitStack() as held:
        folder = held.enter_context(data_folder())
        tell("starting engines")
        running = os.environ.get("CASESTREAM_BENCH_ENGINES")
        if running:
            from infra.engines import Addresses

            engines = held.enter_context(
                start("external", addresses=Addresses.from_json(json.loads(Path(running).read_text())))
            )
        else:
            engines = held.enter_context(start("embedded", folder / "engines", Ports.any_free()))
        prepared = prepare(engines.addresses, folder, partitions=PARTITIONS)
        made = Field(prepared, folder, tuple(_place(n) for n in range(TENANTS)), engines.addresses.postgres)
        tell(f"making {TENANTS} tenants with a project each")
        held.callback(made.close)
        _make_projects(made)
        yield made


def _place(n: int) -> Place:
    tenant_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"bench-{n}"))
    return Place(tenant_id=tenant_id, project_id=derive(derive(tenant_id, "project"), "project"), project_key=f"B{n}")


def _make_projects(made: Field) -> None:
    producer = made.producer()
    now = time.time_ns() // 1000
    for place in made.places:
        command_id = derive(place.tenant_id, "project")
        envelope = Envelope(
            tenant_id=place.tenant_id,
            aggregate_id=place.tenant_id,
            id=command_id,
            correlation_id=command_id,
            source="bench",
            actor="system:bench",
            occurred_at=now,
            recorded_at=now,
        )
        body = CreateProject(key=place.project_key, name=Sealed.plain(place.project_key))
        producer.produce(CONFIG_COMMANDS, codec.encode(envelope, body), place.tenant_id)
    assert producer.flush(30) == 0
    with made.role("worker.config") as role:
        await_ready(role)
        deadline = time.monotonic() + 60
        while made.ends(CONFIG_EVENTS) < len(made.places):
            if time.monotonic() > deadline:
                raise TimeoutError("worker.config did not make the projects")
            time.sleep(0.05)
