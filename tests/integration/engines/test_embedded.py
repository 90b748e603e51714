"""The engines as they are started here: they answer, lose nothing that was acked, and come back on their addresses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from redis import Redis

from infra.engines import Engines, Ports, start
from infra.engines.ports import HOST
from infra.runtime.errors import DataInUse, PortTaken
from tests.engines import data_folder

pytestmark = pytest.mark.engines


def make_topic(bootstrap: str) -> str:
    topic = f"engines.{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)], operation_timeout=30)[topic].result()
    return topic


def append(bootstrap: str, topic: str, values: list[bytes]) -> None:
    """Return when the broker has acked all."""
    failed: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(30) == 0
    assert failed == []


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        messages = consumer.consume(count, timeout=30)
        return [message.value() or b"" for message in messages if message.error() is None]
    finally:
        consumer.close()


def test_kafka_takes_records_and_makes_no_topic_unasked(engines: Engines) -> None:
    bootstrap = engines.addresses.kafka
    topic = make_topic(bootstrap)

    append(bootstrap, topic, [b"one", b"two"])

    assert read(bootstrap, topic, 2) == [b"one", b"two"]
    unknown = f"engines.{uuid.uuid4().hex}"
    with pytest.raises(KafkaException):
        append_unknown(bootstrap, unknown)
    assert unknown not in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics


def append_unknown(bootstrap: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "delivery.timeout.ms": 5000})
    errors: list[Exception] = []
    producer.produce(topic, b"x", on_delivery=lambda error, _: errors.append(KafkaException(error)))
    producer.flush(30)
    if errors:
        raise errors[0]


def test_postgres_owner_is_no_superuser_and_can_make_roles(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, True, True)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)


def test_postgres_refuses_a_wrong_password(engines: Engines) -> None:
    wrong = engines.addresses.postgres.replace("casestream:", "casestream:not-", 1)

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_elasticsearch_has_the_analysis_that_search_needs(elasticsearch_url: str) -> None:
    index = f"{elasticsearch_url}/engines-{uuid.uuid4().hex}"
    analysis = {
        "normalizer": {"folded": {"type": "custom", "filter": ["lowercase", "asciifolding"]}},
        "filter": {"starts": {"type": "edge_ngram", "min_gram": 1, "max_gram": 3}},
        "analyzer": {
            "words": {"type": "custom", "tokenizer": "whitespace", "filter": ["lowercase"]},
            "starts": {"type": "custom", "tokenizer": "keyword", "filter": ["lowercase", "starts"]},
        },
    }
    made = httpx.put(index, json={"settings": {"number_of_replicas": 0, "analysis": analysis}})
    assert made.status_code == 200, made.text

    def tokens(**request: str) -> list[str]:
        answer = httpx.post(f"{index}/_analyze", json={"text": "Éclair DB-1", **request}).json()
        return [token["token"] for token in answer["tokens"]]

    assert tokens(normalizer="folded") == ["eclair db-1"]
    assert tokens(analyzer="words") == ["éclair", "db-1"]
    assert tokens(analyzer="starts") == ["é", "éc", "écl"]
    httpx.delete(index)


def test_elasticsearch_makes_no_index_unasked(elasticsearch_url: str) -> None:
    answer = httpx.put(f"{elasticsearch_url}/engines-{uuid.uuid4().hex}/_doc/1", json={"a": 1})

    assert answer.status_code == 404


def test_redis_answers(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.ping() is True


def test_kafka_keeps_what_it_acked_through_a_kill(killable_engines: Engines) -> None:
    bootstrap = killable_engines.addresses.kafka
    topic = make_topic(bootstrap)
    values = [f"record {n}".encode() for n in range(500)]
    append(bootstrap, topic, values)

    killable_engines.kill("kafka")
    assert not killable_engines.answers("kafka")
    killable_engines.restart("kafka")

    assert read(bootstrap, topic, len(values)) == values


def test_postgres_keeps_what_it_committed_through_a_kill(killable_engines: Engines) -> None:
    dsn = killable_engines.addresses.postgres
    table = f"kept_{uuid.uuid4().hex}"
    with psycopg.connect(dsn) as connection:
        connection.execute(f"CREATE TABLE {table} (n int)")
        connection.execute(f"INSERT INTO {table} SELECT generate_series(1, 500)")

    killable_engines.kill("postgres")
    assert not killable_engines.answers("postgres")
    killable_engines.restart("postgres")

    with psycopg.connect(dsn) as connection:
        assert connection.execute(f"SELECT count(*), max(n) FROM {table}").fetchone() == (500, 500)
        connection.execute(f"DROP TABLE {table}")


def test_elasticsearch_keeps_what_it_acked_through_a_kill(killable_engines: Engines) -> None:
    index = f"{killable_engines.addresses.elasticsearch}/kept-{uuid.uuid4().hex}"
    assert httpx.put(index, json={"settings": {"number_of_replicas": 0}}).status_code == 200
    lines = "".join(f'{{"index":{{"_id":"{n}"}}}}\n{{"n":{n}}}\n' for n in range(500))
    bulk = httpx.post(f"{index}/_bulk", content=lines, headers={"content-type": "application/x-ndjson"}, timeout=60)
    assert bulk.json()["errors"] is False

    killable_engines.kill("elasticsearch")
    assert not killable_engines.answers("elasticsearch")
    killable_engines.restart("elasticsearch")

    httpx.post(f"{index}/_refresh", timeout=60)
    assert httpx.get(f"{index}/_count", timeout=60).json()["count"] == 500
    httpx.delete(index, timeout=60)


def test_redis_keeps_what_it_acked_through_a_kill(killable_engines: Engines) -> None:
    key = uuid.uuid4().hex
    with Redis.from_url(killable_engines.addresses.redis) as client:
        client.set(key, "kept")

    killable_engines.kill("redis")
    assert not killable_engines.answers("redis")
    killable_engines.restart("redis")

    with Redis.from_url(killable_engines.addresses.redis) as client:
        assert client.getdel(key) == b"kept"


def test_an_engine_that_died_is_told_with_its_log(killable_engines: Engines) -> None:
    assert killable_engines.dead() == {}

    killable_engines.kill("redis")

    (cause,) = killable_engines.dead().values()
    assert "SIGKILL" in str(cause)
    assert str(killable_engines.logs["redis"]) in str(cause)
    killable_engines.restart("redis")
    assert killable_engines.dead() == {}


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as path:
        yield path


def test_a_folder_in_use_is_refused(killable_engines: Engines) -> None:
    folder = killable_engines.logs["redis"].parent.parent

    with pytest.raises(DataInUse, match="casestream down"):
        start("embedded", folder)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(engines: Engines, folder: Path) -> None:
    taken = int(engines.addresses.kafka.rpartition(":")[2])

    with pytest.raises(PortTaken, match=f"port {taken}, asked for redis"):
        start("embedded", folder, Ports(redis=taken))

    assert HOST in engines.addresses.kafka
