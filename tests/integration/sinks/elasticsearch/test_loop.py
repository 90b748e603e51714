"""The sink at the end of a real topic: what the stages wrote is what can be found, whatever lies between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from infra.runtime.kafka import create_topics
from schemas import codec
from schemas.topics import dead_letters
from sinks.base import Raw
from sinks.elasticsearch.document import document
from sinks.loop import Loop
from streams import topics as t
from streams.cases.case import Case
from streams.cases.events import CaseArchived
from tests.fakes.story import everything
from tests.integration.sinks.elasticsearch.view import View
from tests.older_codec import forget

pytestmark = pytest.mark.engines

PARTITIONS = 4


@contextmanager
def running(view: View, bootstrap: str) -> Iterator[None]:
    """The loop on a thread; stopped and joined afterwards, its error raised."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def feed() -> None:
        try:
            with view.sink() as sink:
                Loop(sink, bootstrap=bootstrap, topic=view.topic, group=view.group, batch=7).run(stop)
        except BaseException as error:
            errors.append(error)
            raise

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not errors
    assert not thread.is_alive()


@pytest.fixture
def topic(view: View, kafka_bootstrap: str) -> str:
    create_topics(kafka_bootstrap, {view.topic: {}, dead_letters(view.group): {}}, partitions=PARTITIONS)
    return view.topic


def append(bootstrap: str, topic: str, records: list[Raw]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for raw in records:
        producer.produce(topic, raw.value, raw.key, partition=raw.partition)
    assert producer.flush(30) == 0


def ends(bootstrap: str, topic: str) -> dict[int, int]:
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": topic})
    found = {p: reader.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in range(PARTITIONS)}
    reader.close()
    return {partition: end for partition, end in found.items() if end}


def await_end(view: View, bootstrap: str, topic: str, wanted: dict[int, int] | None = None) -> None:
    """Return once everything can be found, or everything before these offsets."""
    wanted = wanted or ends(bootstrap, topic)
    deadline = time.monotonic() + 40
    while {p: visible for p, (_, visible) in view.positions().items() if visible} != wanted:
        assert time.monotonic() < deadline, (view.positions(), wanted)
        time.sleep(0.05)


def test_the_documents_are_the_fold_of_the_log_after_a_restart_and_a_dead_letter(
    view: View, topic: str, kafka_bootstrap: str
) -> None:
    story = everything(partitions=PARTITIONS, seed=topic)
    records = story.records(t.CASE_EVENTS)
    states: dict[tuple[str, str], Case] = {}
    for raw in records:
        decoded = codec.decode(raw.value)
        if isinstance(decoded.after, Case):
            states[decoded.envelope.tenant_id, decoded.after.case_id] = decoded.after
    middle = len(records) // 2
    by_offset = sorted(records, key=lambda raw: raw.offset)

    append(kafka_bootstrap, topic, by_offset[:middle])
    with running(view, kafka_bootstrap):
        await_end(view, kafka_bootstrap, topic)
    append(kafka_bootstrap, topic, [by_offset[0]._replace(value=b"no record", partition=1), *by_offset[middle:]])
    with running(view, kafka_bootstrap):
        await_end(view, kafka_bootstrap, topic)

    assert len(states) > 6
    kept = {key: view.get(key[1], key[0]) for key in states}
    assert kept == {key: {**document(key[0], case), "_version": case.version} for key, case in states.items()}
    assert sorted(view.found()) == sorted(case_id for _, case_id in states)
    assert sum(ends(kafka_bootstrap, dead_letters(view.group)).values()) == 1


def test_a_partition_waits_for_a_reader_that_knows_its_schema_and_is_indexed_then(
    view: View, topic: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = everything(partitions=PARTITIONS, seed=topic).records(t.CASE_EVENTS)
    archived = next(raw for raw in records if isinstance(codec.decode(raw.value).body, CaseArchived))
    schema_id = int.from_bytes((archived.value or b"")[1:5], "big")
    held: dict[int, int] = {}
    for raw in records:
        if int.from_bytes((raw.value or b"")[1:5], "big") == schema_id:
            held.setdefault(raw.partition, raw.offset)
    append(kafka_bootstrap, topic, records)
    wanted = {**ends(kafka_bootstrap, topic), **held}

    with monkeypatch.context() as older:
        forget(older, schema_id)
        with running(view, kafka_bootstrap):
            await_end(view, kafka_bootstrap, topic, wanted)
    with running(view, kafka_bootstrap):
        await_end(view, kafka_bootstrap, topic)

    assert sum(ends(kafka_bootstrap, dead_letters(view.group)).values()) == 0
    told = codec.decode(archived.value).envelope
    state = view.get(told.aggregate_id, told.tenant_id)
    assert state is not None
    assert state["version"] >= (told.version or 0)
