"""Kafka's own tools in Java, on topics that the platform filled: they read every byte, and what they append again counts."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import fastavro
import httpx
import pytest
from confluent_kafka import Message, Producer
from starlette.applications import Starlette

from infra.cli.operate.letter import headers_of
from query_api.registry.routes import routes
from schemas import codec
from streams import topics as t
from streams.ids import routing_hash
from tests.fakes.edge import KEY, TENANT
from tests.fakes.story import everything
from tests.integration.sources.conftest import PARTITIONS, Logs, Views, running
from tests.integration.sources.test_kafka_loop import ACTIONS, signal, story
from topologies.partition import partition_of
from topologies.step import Outgoing
from topologies.testing import TopologyTestDriver

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "infra" / "docs" / "kafka_tools.md"


def printed(words: str, logs: Logs, folder: Path) -> str:
    """Run the one command of the documentation that has these words, on the topics of a test; return what it printed."""
    (line,) = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("$ ") and words in line]
    named = line.removeprefix("$ python")
    for theirs, ours in (
        (f"{t.CASE_EVENTS} ", f"{logs.topics.events} "),
        (f"{t.ALERT_SIGNALS} ", f"{logs.topics.signals} "),
    ):
        named = f"{named} ".replace(theirs, ours)
    named = named.replace("source.kafka.signals", logs.topics.group)
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} {named}"],
        env={**os.environ, "KAFKA": logs.bootstrap, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(messages: list[Message]) -> list[str]:
    """The same lines, of what confluent reads."""

    def text(part: bytes | None) -> str:
        return "-" if part is None else base64.b64encode(part).decode()

    return [
        "\t".join(
            (
                str(message.partition()),
                str(message.offset()),
                text(message.key()),
                text(message.value()),
                ",".join(f"{name}={text(value.encode())}" for name, value in headers_of(message).items()),
            )
        )
        for message in messages
    ]


@pytest.fixture
def events(logs: Logs) -> Logs:
    """Events of everything that happens, with a record that has neither a key nor a value, and headers."""
    producer = Producer({"bootstrap.servers": logs.bootstrap})
    for raw in everything(partitions=PARTITIONS).records(t.CASE_EVENTS):
        producer.produce(
            logs.topics.events,
            raw.value,
            raw.key,
            partition=raw.partition,
            headers=[("redriven", b"a/0:1"), ("x", b"")],
        )
    producer.produce(logs.topics.events, None, None, partition=0)
    assert producer.flush(30) == 0
    return logs


@pytest.fixture
def registry() -> Any:
    """The registry's read half, as the API serves it."""
    app = Starlette(routes=routes())
    return httpx.ASGITransport(app=app)


async def test_the_console_consumer_reads_every_byte_and_the_registrys_schemas_decode_it(
    events: Logs, registry: Any, tmp_path: Path
) -> None:
    """As any Avro tool does: the id in the framing, the schema over HTTP, and nothing of ours."""
    expected = lines(events.read(events.topics.events))
    printed("case.events --from-beginning", events, tmp_path)
    found = (tmp_path / "case.events.tsv").read_text().splitlines()
    assert sorted(found) == sorted(expected)

    schemas: dict[int, Any] = {}
    decoded = 0
    async with httpx.AsyncClient(transport=registry, base_url="http://registry") as client:
        for line in found:
            value = line.split("\t")[3]
            if value == "-":
                continue
            framed = base64.b64decode(value)
            schema_id = int.from_bytes(framed[1:5], "big")
            if schema_id not in schemas:
                document = (await client.get(f"/schemas/ids/{schema_id}")).json()
                schemas[schema_id] = fastavro.parse_schema(json.loads(document["schema"]))
            rest = io.BytesIO(framed[5:])
            told: Any = fastavro.schemaless_reader(rest, schemas[schema_id], None)
            assert rest.read() == b""
            ours = codec.decode(framed)
            assert told["envelope"]["id"] == ours.envelope.id
            assert told["envelope"]["version"] == ours.envelope.version
            decoded += 1
    assert decoded == len(expected) - 1
    assert len(schemas) > 10


def test_signals_that_were_recorded_are_said_again_by_the_console_producer(
    logs: Logs, views: Views, kafka_bootstrap: str, tmp_path: Path
) -> None:
    sent = story(10)
    logs.send(*(((s.dedup_key or "").encode(), codec.encode_row(s)) for s in sent), partitioner="murmur2_random")
    replayed = Logs(kafka_bootstrap)
    replayed.create()
    try:
        printed("alert.signals --from-beginning", logs, tmp_path)
        printed("console-producer", replayed, tmp_path)
        first, again = logs.read(logs.topics.signals), replayed.read(replayed.topics.signals)

        assert lines(again) == lines(first)
        assert all(m.partition() == partition_of(m.key() or b"", PARTITIONS) for m in again)
        assert fold(replayed, views, len(sent)) == fold(logs, views, len(sent))
    finally:
        replayed.delete()


def fold(logs: Logs, views: Views, count: int) -> list[tuple[Any, ...]]:
    """What the alerts come to, without the time, which is that of the record."""
    with running(logs, views.app):
        logs.await_committed(count)
    driver = TopologyTestDriver(partitions=PARTITIONS)
    for message in logs.read(logs.topics.commands):
        driver.append(Outgoing(t.ALERT_COMMANDS, message.partition(), message.key(), message.value()))
    driver.run()
    alerts = [driver.state("alerts", f"{TENANT}/{routing_hash(KEY)}/disk/{n}") for n in range(10)]
    assert {alert.version for alert in alerts} == {len(ACTIONS)}
    receipts = sorted(
        (d.body.signal_id, d.body.receipt, d.body.reason)
        for d in driver.decoded(t.ALERT_EVENTS)
        if hasattr(d.body, "receipt")
    )
    return [*((a.alert_id, a.status, a.episode, a.triggers, a.version) for a in alerts), *receipts]


def test_groups_and_offsets_are_told_by_the_java_tools(logs: Logs, views: Views, tmp_path: Path) -> None:
    logs.send(*((uuid.uuid4().bytes, b"no signal") for _ in range(7)))
    logs.signal(signal("a"))
    with running(logs, views.app):
        logs.await_committed(8)
    events = len(logs.read(logs.topics.events))

    offsets = printed("get-offsets", logs, tmp_path).split()
    described = printed("consumer-groups", logs, tmp_path)
    shape = printed("kafka_tools topics", logs, tmp_path)

    assert sum(int(line.rpartition(":")[2]) for line in offsets) == events
    rows = [line.split() for line in described.splitlines() if line.startswith(logs.topics.group)]
    assert sum(int(row[3]) for row in rows) == 8
    assert {row[5] for row in rows} == {"0"}
    assert f"PartitionCount: {PARTITIONS}" in shape


def test_a_tool_that_there_is_not_is_said_with_those_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.engines.kafka_tools", "mirror-maker"], capture_output=True, cwd=ROOT, check=False
    )
    assert done.returncode == 64
    assert b"console-consumer, console-producer" in done.stderr
