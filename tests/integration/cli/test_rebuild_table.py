"""`case-cli rebuild table` on a running stack: a changelog is destroyed under load, and nothing is lost or done twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from infra.cli.operate.log import Log
from infra.runtime.kafka import PRODUCER
from schemas import codec
from schemas.topics import GENERATION
from streams.cases.commands import AddComment, ChangeTitle
from streams.envelope import Envelope
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_EVENTS
from tests.integration.cli.operating import Operate, engines_file, operate, until
from tests.stack import Stack
from topologies.graph import TOPOLOGY, Stage
from topologies.guard import Guard

__all__ = ["engines_file", "operate"]

pytestmark = pytest.mark.engines

INSTANCE = "tests-worker"
STAGE, CONFIG, ALERTS = (TOPOLOGY.stage(name) for name in ("cases", "config", "alerts"))
CASES = 5
ALERTED = 8


class Load:
    """Commands to some cases, by the edge, appended for as long as the block lasts. said: their ids."""

    def __init__(self, kafka: str, tenant_id: str, cases: Sequence[str]) -> None:
        self.said: list[str] = []
        self._producer = Producer({**PRODUCER, "bootstrap.servers": kafka})
        self._tenant_id = tenant_id
        self.cases = cases
        self._values: list[tuple[bytes, bytes]] = []

    def say(self, count: int) -> None:
        for _ in range(count):
            n = len(self.said)
            case_id, command_id, now = self.cases[n % CASES], str(uuid.uuid4()), time.time_ns() // 1_000
            envelope = Envelope(
                tenant_id=self._tenant_id,
                aggregate_id=case_id,
                id=command_id,
                correlation_id=command_id,
                source="api",
                actor="user:ada",
                occurred_at=now,
                recorded_at=now,
            )
            text = Sealed.plain(f"number {n}")
            value = codec.encode(envelope, AddComment(message=text) if n % 3 == 0 else ChangeTitle(title=text))
            self._append(f"{self._tenant_id}/{case_id}".encode(), value)
            self.said.append(command_id)
        assert self._producer.flush(20) == 0

    def again(self, count: int) -> None:
        """Append the last commands a second time, as an edge does that did not hear that they were taken."""
        for key, value in self._values[-count:]:
            self._producer.produce(CASE_COMMANDS, value, key)
        assert self._producer.flush(20) == 0

    def _append(self, key: bytes, value: bytes) -> None:
        self._values.append((key, value))
        self._producer.produce(CASE_COMMANDS, value, key)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        over = threading.Event()

        def run() -> None:
            while not over.wait(0.05):
                self.say(10)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(30)


def made(stack: Stack) -> list[str]:
    """Open some cases, and return their ids."""
    found = []
    with stack.client() as client:
        for n in range(CASES):
            attributes = {"title": f"Case {n}", "type_id": "00000000-0000-0000-0000-000000000001"}
            project = {"data": {"id": stack.tenants[0]["project_id"], "type": "project"}}
            body = {"data": {"type": "case", "attributes": attributes, "relationships": {"project": project}}}
            answer = client.post("/api/v2/cases", json=body)
            assert answer.status_code == 201, answer.text
            found.append(answer.json()["data"]["id"])
    return found


def fired(stack: Stack) -> None:
    """Let alerts fire, each once."""
    with stack.client() as client:
        for n in range(ALERTED):
            said = {"summary": f"alert {n}", "source": "a test", "severity": "info"}
            signal = {"routing_key": stack.tenants[0]["routing_key"], "event_action": "trigger", "payload": said}
            assert client.post("/v2/enqueue", json={**signal, "dedup_key": f"rebuilt-{n}"}).status_code == 202


def folded(log: Log) -> bool:
    return all(
        log.committed(stage.group).get(place, 0) == span.end
        for stage in (ALERTS, STAGE, CONFIG)
        for place, span in log.bounds([stage.reads]).items()
    )


def destroyed(kafka: str, *stages: Stage) -> None:
    admin, names = AdminClient({"bootstrap.servers": kafka}), [stage.changelog for stage in stages]
    for deleted in admin.delete_topics(names).values():
        deleted.result(30)
    until(lambda: Log(kafka).bounds(names) == {}, what="the changelogs do not go")


def spoilt(kafka: str, *rows: tuple[bytes, bytes]) -> None:
    """Write rows to the changelog that no worker wrote."""
    producer = Producer({**PRODUCER, "bootstrap.servers": kafka})
    for key, row in rows:
        producer.produce(STAGE.changelog, row, key)
    assert producer.flush(20) == 0


def test_a_destroyed_changelog_is_made_again_and_no_command_is_lost_or_done_twice(
    stack: Stack, operate: Operate
) -> None:
    kafka = stack.prepared.env["CASESTREAM_KAFKA"]
    log, worker = Log(kafka), stack.roles["worker"]
    load = Load(kafka, stack.tenants[0]["tenant_id"], made(stack))
    fired(stack)
    load.say(600)
    until(lambda: folded(log), what="the load is not folded", seconds=60)
    worker.process.stop()
    try:
        load.say(50)
        destroyed(kafka, STAGE, CONFIG, ALERTS)
        assert operate("rebuild", "table", "cases", "--yes", exits=4)["errors"] == [f"{INSTANCE} still folds cases"]
        operate("workers", "leave", INSTANCE)
        would = operate("rebuild", "table", "cases", "--dry-run")
        assert would["same"] == would["changed"] == would["gone"] == 0
        assert would["new"] > CASES * 40
        assert not would["written"]
        assert would["folded_again"] == 50

        wrote = operate("rebuild", "table", "cases", "--yes")
        assert (wrote["written"], wrote["new"]) == (True, would["new"])
        twice = operate("rebuild", "table", "cases", "--yes")
        assert (twice["new"], twice["changed"], twice["gone"], twice["same"]) == (0, 0, 0, would["new"])
        # What recovery would keep, as it says that it is newer; what is of no event; and what nobody can read.
        case = f"{stack.tenants[0]['tenant_id']}/{load.cases[0]}".encode()
        spoilt(kafka, (case, Guard(GENERATION, 10**6).encode(b"")), (b"t/a", Guard(GENERATION, 10**6).encode(b"")))
        mended = operate("rebuild", "table", "cases", "--yes")
        assert (mended["new"], mended["changed"], mended["gone"]) == (0, 1, 1)
        assert operate("rebuild", "table", "cases", "--dry-run")["same"] == would["new"]
        spoilt(kafka, (case, b"no row"))
        told = operate("rebuild", "table", "cases", "--yes", exits=1)
        assert "that nobody can read" in told["errors"][0]
        destroyed(kafka, STAGE)
        assert operate("rebuild", "table", "cases", "--yes")["new"] == would["new"]
        assert operate("rebuild", "table", "config", "--yes")["new"] > 0
        assert operate("rebuild", "table", "alerts", "--yes")["new"] >= ALERTED
        # Those that were not committed yet, and some that were.
        load.again(80)
        with load.going_on():
            worker.start()
            until(lambda: worker.readiness() is None, what="it is not ready", seconds=90)
    finally:
        if worker.pid is None:
            worker.start()
    until(lambda: folded(log), what="the load is not folded after all", seconds=90)

    leads: dict[str, list[int]] = defaultdict(list)
    versions: dict[str, list[int]] = defaultdict(list)
    for message in log.read(log.bounds([CASE_EVENTS])):
        try:
            event = codec.decode(message.value())
        except codec.Undecodable:
            # Other tests put that there, and every reader passes it over.
            continue
        leads[event.envelope.causation_id or ""].append(event.envelope.version or 0)
        if event.after is not None:
            versions[event.envelope.aggregate_id].append(event.after.version)
    assert all(len(leads[command]) == 1 for command in load.said)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    # What the worker has written since and what its topics say are the same.
    worker.process.stop()
    try:
        operate("workers", "leave", INSTANCE)
        last = operate("rebuild", "table", "cases", "--dry-run")
        assert (last["new"], last["changed"], last["gone"]) == (0, 0, 0)
        assert last["same"] > would["new"]
        for name in ("config", "alerts"):
            last = operate("rebuild", "table", name, "--dry-run")
            assert (last["new"], last["changed"], last["gone"]) == (0, 0, 0), name
    finally:
        worker.start()
    until(lambda: worker.readiness() is None, what="it is not ready", seconds=90)
