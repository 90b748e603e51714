"""`case-cli verify-view` on a running stack: it finds what is not as the log says, and only that."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from elasticsearch import Elasticsearch

from infra.cli.case.problem import Problem
from infra.cli.operate.views import PostgresView
from tests.integration.cli.operating import Operate, engines_file, operate, until
from tests.stack import Stack

__all__ = ["engines_file", "operate"]

pytestmark = pytest.mark.engines


@dataclass(frozen=True)
class Made:
    stack: Stack
    tenant_id: str
    case_id: str

    @property
    def sink(self) -> str:
        return self.stack.prepared.env["CASESTREAM_POSTGRES_SINK"]

    @property
    def document(self) -> str:
        return f"{self.tenant_id}:{self.case_id}"

    @contextmanager
    def search(self) -> Iterator[Elasticsearch]:
        with Elasticsearch(self.stack.prepared.env["CASESTREAM_ELASTICSEARCH"], request_timeout=30) as client:
            yield client


@pytest.fixture(scope="module")
def made(stack: Stack) -> Made:
    with stack.client() as client:
        tenant = stack.tenants[0]
        body = {
            "data": {
                "type": "case",
                "attributes": {"title": "Compare me", "type_id": "00000000-0000-0000-0000-000000000001"},
                "relationships": {"project": {"data": {"id": tenant["project_id"], "type": "project"}}},
            }
        }
        answer = client.post("/api/v2/cases", json=body)
        assert answer.status_code == 201, answer.text
        case_id = answer.json()["data"]["id"]
        said = client.post(f"/api/v2/cases/{case_id}/priority", json=_priority())
        assert said.status_code == 200, said.text
    return Made(stack, tenant["tenant_id"], case_id)


def _priority() -> dict[str, object]:
    return {"data": {"type": "case", "attributes": {"priority": "P2"}}}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("view", ["postgres", "elasticsearch"])
def test_a_view_that_is_what_the_log_says_passes(operate: Operate, view: str) -> None:
    found = operate("verify-view", view)
    assert found["cases"] >= 1
    assert (found["different"], found["differences"], found["faults"]) == (0, [], [])


def test_a_row_that_somebody_changed_is_named(made: Made, operate: Operate) -> None:
    with changed(made, "UPDATE \"case\" SET state_hash = decode(repeat('00', 32), 'hex') WHERE case_id = %s"):
        found = operate("verify-view", "postgres", exits=1)
    assert found["different"] == 1
    (difference,) = found["differences"]
    assert (difference["tenant_id"], difference["case_id"]) == (made.tenant_id, made.case_id)
    assert difference["said"] == "the same version with another state"
    assert difference["view"]["state_hash"] == "00" * 32
    assert operate("verify-view", "postgres")["different"] == 0


@contextmanager
def changed(made: Made, statement: str) -> Iterator[None]:
    """Have a row otherwise, and then as it was."""
    with psycopg.connect(made.sink, autocommit=True) as connection:
        kept = connection.execute('SELECT state_hash FROM "case" WHERE case_id = %s', (made.case_id,)).fetchone()
        assert kept is not None
        connection.execute(statement, (made.case_id,))
        try:
            yield
        finally:
            connection.execute('UPDATE "case" SET state_hash = %s WHERE case_id = %s', (*kept, made.case_id))


def test_a_document_that_is_gone_and_one_of_nobody_are_named(made: Made, operate: Operate) -> None:
    nobody = str(uuid.uuid4())
    with made.search() as client:
        held = client.get(index="case", id=made.document)
        version = held["_version"]
        client.delete(index="case", id=made.document, version=version, version_type="external_gte", refresh=True)
        foreign = {**held["_source"], "case_id": nobody}
        client.index(index="case", id=f"{made.tenant_id}:{nobody}", document=foreign, refresh=True)
        try:
            found = operate("verify-view", "elasticsearch", exits=1)
            limited = operate("verify-view", "elasticsearch", "--limit", "1", exits=1)
        finally:
            client.delete(index="case", id=f"{made.tenant_id}:{nobody}", refresh=True)
            client.index(
                index="case",
                id=made.document,
                document=held["_source"],
                version=version,
                version_type="external_gte",
                refresh=True,
            )
    assert {d["case_id"]: d["said"] for d in found["differences"]} == {
        made.case_id: f"missing, the log has version {version}",
        nobody: f"version {version} is of no event",
    }
    assert (limited["different"], len(limited["differences"])) == (2, 1)


def test_a_view_that_stands_still_is_said_to_be_behind(made: Made, operate: Operate) -> None:
    role = made.stack.roles["sink.postgres"]
    with _stopped(role.process.stop, role.start), made.stack.client() as client:
        # Nobody answers while the view stands still: the command is taken all the same.
        client.post("/v2/enqueue", json=_trigger(made))
        until(lambda: operate("lag", "sink.postgres.case")["lag"] > 0, what="no event comes")
        refused = operate("verify-view", "postgres", "--wait", "0.5", exits=5)
    assert "behind and does not catch up" in refused["errors"][0]
    assert operate("verify-view", "postgres")["different"] == 0


def _trigger(made: Made) -> dict[str, object]:
    payload = {"summary": "verify", "source": "test", "severity": "error"}
    key = made.stack.tenants[0]["routing_key"]
    return {"routing_key": key, "event_action": "trigger", "dedup_key": uuid.uuid4().hex, "payload": payload}


@contextmanager
def _stopped(stop: Callable[[], None], start: Callable[[], None]) -> Iterator[None]:
    stop()
    try:
        yield
    finally:
        start()


def test_a_role_that_does_not_see_all_tenants_is_refused(made: Made) -> None:
    """Otherwise it would say that all cases are missing."""
    view = PostgresView(made.stack.prepared.postgres_app)
    with pytest.raises(Problem, match="does not see all tenants"):
        next(view.states())
    everything = dict(PostgresView(made.sink).states())
    assert {name.case_id for name in everything} >= {made.case_id}
