"""A migrated database with routing keys, and topics of a test's own with the loop that reads them."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import conninfo

from migrations.runner import migrate
from schemas import codec
from schemas.signal import AlertSignal
from schemas.topics import DEAD_LETTER_CONFIG
from sources.kafka_loop import SignalLoop, Topics
from sources.routing import RoutingKeys
from tests.fakes.edge import KEY, OTHER_KEY, OTHER_TENANT, PROJECT, TENANT

PARTITIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """DSNs of the application's and the sink's role."""

    app: str
    sink: str

    def write(self, statement: str, *arguments: Any) -> None:
        """Do as the Postgres sink does."""
        with psycopg.connect(self.sink, autocommit=True) as connection:
            connection.execute(statement, arguments)


@pytest.fixture(scope="module")
def views(postgres_dsn: str) -> Views:
    """A migrated database that knows two tenants, each with a routing key."""
    app, sink = f"app_{uuid.uuid4().hex[:8]}", f"sink_{uuid.uuid4().hex[:8]}"
    migrate(postgres_dsn, app_password="a", sink_password="s", app_role=app, sink_role=sink)
    made = Views(
        app=conninfo.make_conninfo(postgres_dsn, user=app, password="a"),
        sink=conninfo.make_conninfo(postgres_dsn, user=sink, password="s"),
    )
    for tenant_id, key in ((TENANT, KEY), (OTHER_TENANT, OTHER_KEY)):
        made.write("INSERT INTO tenant VALUES (%s, 1, 'T', 'oncall', now())", tenant_id)
        bind(made, tenant_id, key)
    return made


def bind(views: Views, tenant_id: str, key: str) -> None:
    """Make `key` a routing key of the tenant."""
    views.write(
        "INSERT INTO routing_key VALUES (%s, %s, 1, %s, %s, 'OPS', now(), NULL)",
        tenant_id,
        str(uuid.uuid4()),
        sha256(key.encode()).hexdigest(),
        PROJECT,
    )


def revoke(views: Views, key: str) -> None:
    views.write("UPDATE routing_key SET revoked_at = now() WHERE digest = %s", sha256(key.encode()).hexdigest())


def await_(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Look until `condition` holds; AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@dataclass
class Logs:
    """The topics of one test."""

    bootstrap: str
    name: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        group = f"{self.name}.signals-group"
        self.topics = Topics(
            signals=f"{self.name}.signals", commands=f"{self.name}.commands", events=f"{self.name}.events", group=group
        )
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})
        self._group = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        self.names = (self.topics.signals, self.topics.commands, self.topics.events, self.topics.dead)

    def create(self) -> None:
        new = [
            NewTopic(name, PARTITIONS, 1, config=DEAD_LETTER_CONFIG if name == self.topics.dead else {})
            for name in self.names
        ]
        for created in self.admin.create_topics(new, operation_timeout=30).values():
            created.result(30)

    def delete(self) -> None:
        self._group.close()
        for deleted in self.admin.delete_topics(list(self.names), operation_timeout=30).values():
            deleted.result(30)

    def send(self, *records: tuple[bytes | None, bytes | None], **config: Any) -> None:
        """Append (key, value) records to the public topic with a producer of these settings; acked on return.

        Idempotent: without that, a producer that has to retry may reorder its own records.
        """
        producer = Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True, **config})
        for key, value in records:
            producer.produce(self.topics.signals, value, key)
        assert producer.flush(30) == 0

    def signal(self, *signals: AlertSignal, key: bytes | None = None) -> None:
        self.send(*((key, codec.encode_row(signal)) for signal in signals))

    def read(self, topic: str) -> list[Message]:
        """Return all records of a topic, partition by partition."""
        settings = {
            "bootstrap.servers": self.bootstrap,
            "group.id": uuid.uuid4().hex,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
        }
        with closing(Consumer(settings)) as reader:
            reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
            found: list[Message] = []
            ends = 0
            while ends < PARTITIONS:
                message = reader.poll(10.0)
                assert message is not None, f"{topic} does not answer"
                if message.error() is not None:
                    ends += 1
                else:
                    found.append(message)
        return sorted(found, key=lambda m: (m.partition() or 0, m.offset() or 0))

    def commands(self) -> list[codec.Decoded]:
        return [codec.decode(message.value()) for message in self.read(self.topics.commands)]

    def committed(self) -> int:
        """Return how many records of the public topic are committed, over all partitions."""
        places = [TopicPartition(self.topics.signals, p) for p in range(PARTITIONS)]
        return sum(max(place.offset, 0) for place in self._group.committed(places, timeout=10))

    def commit(self, offset: int) -> None:
        """Say that the group stands at `offset` of every partition."""
        places = [TopicPartition(self.topics.signals, p, offset) for p in range(PARTITIONS)]
        self._group.commit(offsets=places, asynchronous=False)

    def await_committed(self, count: int) -> None:
        await_(lambda: self.committed() >= count, f"{count} records are taken")


@pytest.fixture
def logs(kafka_bootstrap: str) -> Iterator[Logs]:
    made = Logs(kafka_bootstrap)
    made.create()
    yield made
    made.delete()


@dataclass
class Running:
    """A loop on a thread. error: what ended it, None where it was told to stop."""

    loop: SignalLoop
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run(self.stop)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def end(self) -> None:
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


@contextmanager
def running(logs: Logs, dsn: str, **options: Any) -> Iterator[Running]:
    """Run a loop while inside. What ends it by itself is raised at the end."""
    ran = Running(SignalLoop(logs.bootstrap, RoutingKeys(dsn), topics=logs.topics, **options))
    try:
        yield ran
    finally:
        ran.end()
    if ran.error is not None:
        raise ran.error


class Door:
    """A way to Postgres that can be shut: connections that were open are cut, new ones refused."""

    def __init__(self, dsn: str) -> None:
        parts = conninfo.conninfo_to_dict(dsn)
        self._target = (str(parts["host"]), int(str(parts["port"])))
        self._pairs: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._moving = threading.Lock()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.dsn = conninfo.make_conninfo(
            dsn, host="127.0.0.1", port=self.port, sslmode="disable", gssencmode="disable"
        )

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        with self._moving:
            if self._listener is not None:
                # Wakes the thread that accepts, which `close` alone does not.
                with suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            for pair in self._pairs:
                with suppress(OSError):
                    pair.shutdown(socket.SHUT_RDWR)
                pair.close()
            self._pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                with self._moving:
                    if self._listener is not listener:  # shut just now
                        near.close()
                        return
                    far = socket.create_connection(self._target)
                    self._pairs += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)


@pytest.fixture
def door(views: Views) -> Iterator[Door]:
    made = Door(views.app)
    yield made
    made.shut()
