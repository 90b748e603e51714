"""Kafka tools read our topics with no code of ours: they ask the API for the schema whose id a record begins with."""

from __future__ import annotations

import io
import json
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import fastavro
import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.serialization import MessageField, SerializationContext

from schemas import codec, registry
from schemas.topics import TOPICS
from streams.topics import ALERT_SIGNALS, CASE_EVENTS
from tests.installed import await_
from tests.stack import Stack

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def case(stack: Stack) -> str:
    """The id of a case that was opened, given another title, commented and closed."""
    with stack.client() as client:
        project = {"project": {"data": {"id": stack.tenants[0]["project_id"], "type": "project"}}}
        attributes = {"title": "read me", "type_id": "00000000-0000-0000-0000-000000000001"}
        body = {"data": {"type": "case", "attributes": attributes, "relationships": project}}
        opened = client.post("/api/v2/cases", json=body)
        assert opened.is_success, opened.text
        case_id: str = opened.json()["data"]["id"]
        for path, change in (
            ("title", {"title": "read me ✓"}),
            ("comment", {"comment": "said"}),
            ("status", {"status": "CLOSED"}),
        ):
            done = client.post(f"/api/v2/cases/{case_id}/{path}", json={"data": {"type": "case", "attributes": change}})
            assert done.is_success, done.text
    return case_id


@dataclass(frozen=True, slots=True)
class Confluent:
    """Confluent's own client of this registry, and its modules."""

    client: Any
    registry: Any
    avro: Any


@pytest.fixture
def confluent(stack: Stack) -> Iterator[Confluent]:
    reason = "needs confluent-kafka[avro,schemaregistry]"
    module = pytest.importorskip("confluent_kafka.schema_registry", reason=reason)
    avro = pytest.importorskip("confluent_kafka.schema_registry.avro", reason=reason)
    with module.SchemaRegistryClient({"url": stack.http}) as client:
        yield Confluent(client, module, avro)


def records(stack: Stack, topic: str) -> Iterator[tuple[str, bytes]]:
    """Return key and value of everything in a topic."""
    settings = {"bootstrap.servers": stack.prepared.env["CASESTREAM_KAFKA"], "group.id": uuid.uuid4().hex}
    consumer = Consumer({**settings, "enable.auto.commit": False, "enable.partition.eof": False})
    try:
        for partition in consumer.list_topics(topic, timeout=20).topics[topic].partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
            consumer.assign([TopicPartition(topic, partition, 0)])
            at = 0
            while at < end:
                message = consumer.poll(20)
                assert message is not None
                assert message.error() is None
                offset, key, value = message.offset(), message.key(), message.value()
                assert offset is not None
                at = offset + 1
                if isinstance(key, bytes) and value is not None:
                    yield key.decode(), value
    finally:
        consumer.close()


def told(stack: Stack, case: str) -> list[bytes]:
    return [value for key, value in records(stack, CASE_EVENTS) if key.endswith(case)]


def test_the_address_of_the_api_and_avro_are_all_that_a_reader_needs(stack: Stack, case: str) -> None:
    """No keys are sent."""
    read: list[Any] = []
    with httpx.Client(base_url=stack.http, trust_env=False) as client:
        for value in told(stack, case):
            schema_id = struct.unpack(">bI", value[:5])[1]
            schema = json.loads(client.get(f"/schemas/ids/{schema_id}").json()["schema"])
            read.append(fastavro.schemaless_reader(io.BytesIO(value[5:]), fastavro.parse_schema(schema), None))

    assert [record["after"]["version"] for record in read] == [1, 2, 3, 4]
    assert read[1]["title"]["content"].decode() == "read me ✓"
    assert read[1]["before"]["content"].decode() == "read me"
    assert [record["after"]["status"] for record in read] == ["OPEN", "OPEN", "OPEN", "CLOSED"]


def test_confluent_s_deserializer_reads_every_events_topic(stack: Stack, case: str, confluent: Confluent) -> None:
    deserialize = confluent.avro.AvroDeserializer(confluent.client)
    for topic in ("case.events", "alert.events", "config.events"):
        context = SerializationContext(topic, MessageField.VALUE)
        count = 0
        for _, value in records(stack, topic):
            try:
                ours = codec.decode(value)
            except codec.Undecodable:
                # Other tests of this session leave bytes here that nothing decodes.
                continue
            theirs = deserialize(value, context)
            count += 1
            assert theirs["envelope"]["id"] == ours.envelope.id
            assert theirs["envelope"]["version"] == ours.envelope.version
            assert ("after" in theirs) is (ours.after is not None)
        assert count or topic == "alert.events"
    titles = [deserialize(value, context)["after"]["title"]["content"].decode() for value in told(stack, case)]
    assert titles == ["read me", "read me ✓", "read me ✓", "read me ✓"]


def test_confluent_s_deserializer_reads_with_the_newest_schema_of_a_type(
    stack: Stack, case: str, confluent: Confluent
) -> None:
    """Its strategy of subjects by record name, and a reader's schema other than the writer's."""
    settings = {
        "use.latest.version": True,
        "subject.name.strategy": confluent.registry.topic_record_subject_name_strategy,
    }
    deserialize = confluent.avro.AvroDeserializer(confluent.client, conf=settings)
    context = SerializationContext(CASE_EVENTS, MessageField.VALUE)
    versions = [deserialize(value, context)["after"]["version"] for value in told(stack, case)]
    assert versions == [1, 2, 3, 4]


def test_confluent_s_client_finds_its_way(confluent: Confluent) -> None:
    client = confluent.client
    subjects = client.get_subjects()
    assert {
        f"{topic.name}-casestream.cases.CaseOpened" for topic in TOPICS.values() if topic.name == CASE_EVENTS
    } <= set(subjects)
    assert client.get_versions("casestream.alerts.EpisodeResolved") == [1, 2]
    latest = client.get_latest_version("casestream.alerts.EpisodeResolved")
    assert (latest.version, latest.schema_id) == (2, registry.ids()["alerts/episode_resolved.v2"])
    assert client.lookup_schema("casestream.alerts.EpisodeResolved", latest.schema).version == 2
    assert client.get_compatibility() == "FULL_TRANSITIVE"
    assert client.get_global_mode() == "READONLY"
    refusals: list[tuple[Callable[[], Any], int, int]] = [
        (lambda: client.get_version("none", 1), 404, 40401),
        (lambda: client.get_version("alert.signals-value", 9), 404, 40402),
        (lambda: client.get_schema(9999), 404, 40403),
        (lambda: client.delete_subject("alert.signals-value"), 422, 42205),
        (lambda: client.set_compatibility(level="NONE"), 422, 42205),
    ]
    for refused, status, code in refusals:
        with pytest.raises(confluent.registry.SchemaRegistryError) as raised:
            refused()
        assert (raised.value.http_status_code, raised.value.error_code) == (status, code)


def test_confluent_s_serializer_writes_a_signal_that_becomes_a_case(stack: Stack, confluent: Confluent) -> None:
    """With its default settings: it registers what it writes, which is there."""
    schema = json.dumps(registry.schema("alerts/alert_signal", 1))
    serialize = confluent.avro.AvroSerializer(confluent.client, schema)
    signal_id = str(uuid.uuid4())
    signal = {
        "routing_key": stack.tenants[0]["routing_key"],
        "action": "trigger",
        "summary": "by Avro",
        "signal_id": signal_id,
    }
    value = serialize(signal, SerializationContext(ALERT_SIGNALS, MessageField.VALUE))
    producer = Producer({"bootstrap.servers": stack.prepared.env["CASESTREAM_KAFKA"]})
    producer.produce(ALERT_SIGNALS, value)
    assert producer.flush(20) == 0
    with stack.client() as client:
        path = f"/api/v2/signals/{signal_id}"
        await_(lambda: client.get(path).status_code == 200, seconds=30, what="the receipt")
        assert client.get(path).json()["data"]["attributes"]["state"] == "folded"
