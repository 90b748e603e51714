"""The loop on a real Kafka: dead letters, holes, newer writers, positions, the store away."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.runtime.consuming import CONSUMER, PositionLost
from infra.runtime.errors import PoisonMessage, StoreUnavailable
from schemas.codec import UnknownSchema
from sinks.base import LOG_START, Entry, Fenced, Raw, Refused
from sinks.loop import Hole, Loop, NotReady

pytestmark = pytest.mark.engines

SECONDS = 30
ROOT = Path(__file__).parents[3]


@dataclass
class Stored:
    """A store that outlives its sinks. positions None: it keeps none."""

    items: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    positions: dict[int, int] | None = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    away: int = 0


class Listing:
    """A ProjectionSink that lists its items. "bad" is poison, "newer" is of a newer writer, "bug" is a bug."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.closed = False

    def decode(self, raw: Raw) -> str:
        text = (raw.value or b"").decode()
        if text.startswith("bad"):
            raise PoisonMessage(f"{text} is bad")
        if text.startswith("newer"):
            raise UnknownSchema(4711)
        return text

    def assigned(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        self._maybe_away()
        if self.stored.positions is None:
            return dict.fromkeys(partitions)
        return {p: self.stored.positions.get(p, LOG_START) for p in partitions}

    def apply(self, batch: Sequence[Entry[str]]) -> None:
        self._maybe_away()
        items = [entry.item for entry in batch if entry.item is not None]
        if "bug" in items:
            raise RuntimeError("a bug")
        refused = [(entry, f"{entry.item} is refused") for entry in batch if entry.item in self.stored.refuses]
        if refused:
            raise Refused(refused)
        if self.stored.positions is not None:
            for entry in batch:
                at, offset = entry.raw.partition, entry.raw.offset
                if self.stored.positions.get(at, offset) != offset:
                    raise Fenced(f"{at} is at {self.stored.positions[at]}, not {offset}")
                self.stored.positions[at] = offset + 1
        self.stored.items += items
        self.stored.batches.append(len(batch))

    def _maybe_away(self) -> None:
        if self.stored.away > 0:
            self.stored.away -= 1
            raise StoreUnavailable("the store is away")

    def idle(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Log:
    """A topic of one test, with the dead letters of its group."""

    def __init__(self, bootstrap: str, partitions: int = 1) -> None:
        self.bootstrap = bootstrap
        self.topic = f"test-{uuid.uuid4().hex[:12]}.events"
        self.group = f"sink.{self.topic}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        new = [NewTopic(self.topic, partitions, 1), NewTopic(f"{self.group}.dlq", 1, 1)]
        for created in self.admin.create_topics(new).values():
            created.result(SECONDS)

    def append(self, *values: str, partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 0})
        for value in values:
            producer.produce(self.topic, value.encode(), b"key", partition=partition)
        assert producer.flush(SECONDS) == 0

    def skip_an_offset(self) -> None:
        """Commit a transaction, whose mark takes an offset that no reader is given."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "transactional.id": self.topic})
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
        producer.produce(self.topic, b"within", b"key", partition=0)
        before = self.end()
        producer.commit_transaction(SECONDS)
        # The coordinator answers first and writes its mark then.
        until(lambda: self.end() == before + 2, "the transaction's mark")

    def end(self) -> int:
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.group})
        _, high = reader.get_watermark_offsets(TopicPartition(self.topic, 0), timeout=10)
        reader.close()
        return int(high)

    def dead_letters(self, count: int) -> list[Message]:
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "none", "enable.auto.commit": False})
        reader.assign([TopicPartition(f"{self.group}.dlq", 0, 0)])
        found: list[Message] = []
        deadline = time.monotonic() + SECONDS
        while len(found) < count and time.monotonic() < deadline:
            found += [m for m in reader.consume(10, 0.2) if m.error() is None]
        found += [m for m in reader.consume(10, 0.2) if m.error() is None]
        reader.close()
        return found

    def committed(self) -> int:
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.group})
        (tp,) = reader.committed([TopicPartition(self.topic, 0)], timeout=10)
        reader.close()
        return int(tp.offset)


class Running:
    """A loop on its thread, with what it ended by."""

    def __init__(self, loop: Loop[str]) -> None:
        self.loop = loop
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run(self.stop)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def ended(self) -> BaseException | None:
        self.thread.join(SECONDS)
        assert not self.thread.is_alive(), "the loop goes on"
        return self.error

    def trouble(self) -> str:
        try:
            self.loop.ping()
        except NotReady as cause:
            return str(cause)
        return ""


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not in {SECONDS} s: {what}"
        time.sleep(0.01)


@pytest.fixture
def log(kafka_bootstrap: str) -> Log:
    return Log(kafka_bootstrap)


@contextmanager
def running(
    log: Log, stored: Stored, *, holds_newer: bool = True, not_before: int = 0, instance_id: str = ""
) -> Iterator[Running]:
    loop: Loop[str] = Loop(
        Listing(stored),
        bootstrap=log.bootstrap,
        topic=log.topic,
        group=log.group,
        holds_newer=holds_newer,
        not_before=not_before,
        instance_id=instance_id,
    )
    it = Running(loop)
    try:
        yield it
    finally:
        it.stop.set()
        it.ended()


def test_records_come_in_order_and_the_positions_are_told_to_kafka(log: Log) -> None:
    stored = Stored()
    log.append(*(f"r{n}" for n in range(500)))
    with running(log, stored) as it:
        until(lambda: len(stored.items) == 500, "500 records")
        assert it.trouble() == ""

    assert stored.items == [f"r{n}" for n in range(500)]
    assert it.error is None
    assert log.committed() == 500
    assert it.trouble().endswith("stopped")


def test_a_record_is_applied_at_once_and_many_together(log: Log) -> None:
    stored = Stored()
    log.append("first")
    with running(log, stored):
        until(lambda: stored.items, "the first record")
        began = time.monotonic()
        log.append("second")
        until(lambda: len(stored.items) == 2, "the second record")
        waited = time.monotonic() - began
    log.append(*(f"r{n}" for n in range(3_000)))
    with running(log, stored):
        until(lambda: len(stored.items) == 3_002, "all records")

    # Far below the time that a poll waits: nothing is collected before it is applied.
    assert waited < 2
    assert stored.batches[:2] == [1, 1]
    assert max(stored.batches) > 100


def test_it_goes_on_where_the_store_is_whatever_kafka_says(log: Log) -> None:
    stored = Stored()
    log.append("a", "b", "c")
    with running(log, stored):
        until(lambda: len(stored.items) == 3, "three records")
    # As a rebuild does: the store is new, the group has committed 3.
    again = Stored()
    with running(log, again):
        until(lambda: len(again.items) == 3, "three records again")
    log.append("d")
    with running(log, again):
        until(lambda: len(again.items) == 4, "the fourth record")

    assert again.items == ["a", "b", "c", "d"]
    assert log.committed() == 4


def test_a_store_without_positions_goes_on_where_kafka_says(log: Log) -> None:
    stored = Stored(positions=None)
    log.append("a", "b")
    with running(log, stored):
        until(lambda: len(stored.items) == 2, "two records")
    log.append("c")
    with running(log, stored):
        until(lambda: len(stored.items) == 3, "the third record")

    assert stored.items == ["a", "b", "c"]


def test_a_new_store_begins_where_the_log_begins(log: Log) -> None:
    log.append("a", "b", "c")
    for gone in log.admin.delete_records([TopicPartition(log.topic, 0, 2)]).values():
        gone.result(SECONDS)
    stored = Stored()
    with running(log, stored):
        until(lambda: stored.items, "the one record that is left")

    assert stored.items == ["c"]
    assert stored.positions == {0: 3}


def test_what_cannot_be_decoded_is_a_dead_letter_with_its_cause_and_the_rest_flows(log: Log) -> None:
    stored = Stored()
    log.append("a", "bad 1", "b", "bad 2")
    with running(log, stored):
        until(lambda: stored.positions == {0: 4}, "four records")
    letters = log.dead_letters(2)

    assert stored.items == ["a", "b"]
    assert [m.value() for m in letters] == [b"bad 1", b"bad 2"]
    assert dict(letters[0].headers() or []) == {
        "topic": log.topic.encode(),
        "partition": b"0",
        "offset": b"1",
        "error": b"PoisonMessage: bad 1 is bad",
    }


def test_what_the_store_refuses_is_a_dead_letter_and_the_rest_is_applied(log: Log) -> None:
    stored = Stored(refuses={"b"})
    log.append("a", "b", "c")
    with running(log, stored):
        until(lambda: stored.positions == {0: 3}, "three records")
    letters = log.dead_letters(1)

    assert stored.items == ["a", "c"]
    assert [(m.value(), dict(m.headers() or [])["error"]) for m in letters] == [(b"b", b"b is refused")]


def test_an_unknown_schema_holds_its_partition_until_the_reader_is_newer(kafka_bootstrap: str) -> None:
    log = Log(kafka_bootstrap, partitions=2)
    stored = Stored()
    log.append("a", "newer", "b")
    log.append("x", partition=1)
    with running(log, stored) as it:
        until(lambda: len(stored.items) == 2 and it.trouble(), "the partition is held")
        log.append("y", partition=1)
        until(lambda: "y" in stored.items, "the other partition goes on")
        trouble = it.trouble()

    assert sorted(stored.items) == ["a", "x", "y"]
    assert stored.positions == {0: 1, 1: 2}
    assert "partition 0 waits at offset 1 for an upgrade" in trouble
    assert log.dead_letters(0) == []


def test_where_others_write_too_an_unknown_schema_is_a_dead_letter(log: Log) -> None:
    stored = Stored()
    log.append("a", "newer", "b")
    with running(log, stored, holds_newer=False):
        until(lambda: stored.positions == {0: 3}, "three records")

    assert stored.items == ["a", "b"]
    assert [m.value() for m in log.dead_letters(1)] == [b"newer"]


def test_a_hole_in_the_log_ends_it_with_nothing_after_the_hole_applied(log: Log) -> None:
    stored = Stored()
    log.append("a")
    log.skip_an_offset()
    log.append("after the hole")
    with running(log, stored) as it:
        error = it.ended()

    assert isinstance(error, Hole)
    assert "expected offset 2, got 3" in str(error)
    assert "after the hole" not in stored.items
    assert "ended" in it.trouble()


def test_a_position_that_the_log_does_not_have_ends_it(log: Log) -> None:
    log.append("a", "b", "c")
    for gone in log.admin.delete_records([TopicPartition(log.topic, 0, 2)]).values():
        gone.result(SECONDS)
    for lost in (1, 99):
        stored = Stored(positions={0: lost})
        with running(log, stored) as it:
            error = it.ended()

        assert isinstance(error, PositionLost), error
        assert stored.items == []


def test_a_bug_ends_it_and_nothing_is_committed(log: Log) -> None:
    stored = Stored()
    log.append("bug")
    with running(log, stored) as it:
        error = it.ended()

    assert isinstance(error, RuntimeError)
    assert log.committed() < 0
    assert log.dead_letters(0) == []


def test_while_the_store_is_away_it_waits_and_says_so_and_loses_nothing(log: Log) -> None:
    stored = Stored(away=3)
    log.append("a", "b")
    with running(log, stored) as it:
        until(lambda: "the store is away" in it.trouble(), "it says what it waits for")
        until(lambda: len(stored.items) == 2, "both records")
        stored.away = 2
        log.append("c")
        until(lambda: len(stored.items) == 3, "the third record")
        assert it.trouble() == ""

    assert stored.items == ["a", "b", "c"]
    assert log.dead_letters(0) == []


def test_a_position_moved_by_somebody_else_is_taken_up(log: Log) -> None:
    stored = Stored()
    log.append("a", "b")
    with running(log, stored) as it:
        until(lambda: len(stored.items) == 2, "two records")
        # Somebody else applied the next one, and this process does not know.
        stored.positions = {0: 3}
        log.append("c", "d")
        until(lambda: len(stored.items) == 3, "the fourth record")
        assert it.trouble() == ""

    assert stored.items == ["a", "b", "d"]


def test_records_before_its_time_are_passed_over(log: Log) -> None:
    log.append("old")
    later = int(time.time() * 1000) + 60_000
    stored = Stored()
    with running(log, stored, not_before=later):
        until(lambda: stored.positions == {0: 1}, "the position")

    assert stored.items == []


def test_partitions_that_go_to_another_process_are_read_once(kafka_bootstrap: str) -> None:
    log = Log(kafka_bootstrap, partitions=4)
    stored = Stored()
    for partition in range(4):
        log.append(*(f"{partition}-{n}" for n in range(50)), partition=partition)
    with running(log, stored) as first:
        until(lambda: len(stored.items) == 200, "the first 200")
        with running(log, stored) as second:
            until(lambda: second.trouble() == "", "the second has its share")
            for partition in range(4):
                log.append(*(f"{partition}-{n}" for n in range(50, 100)), partition=partition)
            until(lambda: len(stored.items) == 400, "the next 200")
        for partition in range(4):
            log.append(*(f"{partition}-{n}" for n in range(100, 120)), partition=partition)
        until(lambda: len(stored.items) == 480, "the last 80")
        assert first.error is second.error is None

    assert sorted(stored.items) == sorted(f"{p}-{n}" for p in range(4) for n in range(120))
    for partition in range(4):
        mine = [item for item in stored.items if item.startswith(f"{partition}-")]
        assert mine == [f"{partition}-{n}" for n in range(120)]


MEMBER = """
import sys
from confluent_kafka import Consumer
from infra.runtime.consuming import CONSUMER
bootstrap, topic, group = sys.argv[1:]
member = Consumer({**CONSUMER, "bootstrap.servers": bootstrap, "group.id": group, "group.instance.id": "one"})
member.subscribe([topic], on_assign=lambda *_: print("assigned", flush=True))
while True:
    member.poll(1)
"""


def test_a_process_of_the_same_name_has_the_partitions_of_one_that_was_killed_at_once(log: Log) -> None:
    command = [sys.executable, "-c", MEMBER, log.bootstrap, log.topic, log.group]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"assigned\n"
        killed.kill()
    stored = Stored()
    log.append("a")
    began = time.monotonic()
    with running(log, stored, instance_id="one"):
        until(lambda: stored.items, "the record")
        waited = time.monotonic() - began

    # The group itself would miss it only after this time.
    assert waited < CONSUMER["session.timeout.ms"] / 1000 - 1


def test_a_topic_that_is_not_there_yet_is_waited_for(kafka_bootstrap: str) -> None:
    log = Log(kafka_bootstrap)
    missing = Log.__new__(Log)
    missing.__dict__.update(log.__dict__, topic=f"{log.topic}.later")
    stored = Stored()
    with running(missing, stored) as it:
        until(it.trouble, "not ready")
        (created,) = log.admin.create_topics([NewTopic(missing.topic, 1, 1)]).values()
        created.result(SECONDS)
        missing.append("a")
        try:
            until(lambda: stored.items, "the record")
        except KafkaException as error:
            raise AssertionError("it did not wait") from error

    assert stored.items == ["a"]
