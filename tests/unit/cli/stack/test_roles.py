from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.cli.bootstrap import Prepared
from infra.cli.role import STACK
from infra.cli.stack.document import Facts, document
from infra.cli.stack.folder import Folder
from infra.cli.stack.reader import url
from infra.cli.stack.roles import api_ports, health_ports, make, stop_groups
from infra.engines import Addresses
from infra.runtime.errors import PortTaken

PREPARED = Prepared(
    env={
        "CASESTREAM_KAFKA": "127.0.0.1:9092",
        "CASESTREAM_POSTGRES": "host=127.0.0.1 user=casestream_app password=app-word",
        "CASESTREAM_POSTGRES_SINK": "host=127.0.0.1 user=casestream_sink password=sink-word",
    },
    postgres_app="host=127.0.0.1 user=casestream_app password=app-word",
    postgres_reader="postgresql://casestream_reader:reader-word@127.0.0.1:5432/casestream",
    created=(),
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.at(tmp_path)
    made.create()
    return made


def test_only_sinks_are_told_the_password_that_writes_views(folder: Folder) -> None:
    roles = make(PREPARED, folder, {"http": 1, "grpc": 2}, dict.fromkeys(STACK, 3), {})
    told = {role.name for role in roles if "sink-word" in str(role._env)}
    assert told == {"sink.postgres", "sink.elasticsearch"}


def test_only_the_api_is_told_the_public_ports(folder: Folder) -> None:
    roles = make(PREPARED, folder, {"http": 18080, "grpc": 18081}, dict.fromkeys(STACK, 3), {})
    told = {role.name for role in roles if role._env.get("CASESTREAM_HTTP_PORT") == "18080"}
    assert told == {"api"}


def test_every_role_keeps_its_own_name_through_a_restart(folder: Folder) -> None:
    roles = make(PREPARED, folder, {"http": 1, "grpc": 2}, dict.fromkeys(STACK, 3), {})
    names = [role._env["CASESTREAM_INSTANCE_ID"] for role in roles]
    again = make(PREPARED, folder, {"http": 1, "grpc": 2}, dict.fromkeys(STACK, 3), {})
    assert len(set(names)) == len(STACK)
    assert names == [role._env["CASESTREAM_INSTANCE_ID"] for role in again]


def test_what_lets_things_in_stops_first_and_what_writes_them_last() -> None:
    groups = stop_groups(list(STACK))
    assert set(groups[0]) == {"api", "source.kafka", "source.clock"}
    assert set(groups[-1]) == {"sink.postgres", "sink.elasticsearch"}
    assert sorted(name for group in groups for name in group) == sorted(STACK)


def test_health_ports_are_those_of_the_last_start(folder: Folder) -> None:
    first = health_ports(folder)
    assert len(set(first.values())) == len(STACK)
    folder.write_ports(first)
    assert health_ports(folder) == first


def test_a_port_that_is_asked_for_and_taken_is_refused_and_one_that_is_not_asked_for_gives_way(folder: Folder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            api_ports(folder, port, None)
        folder.write_ports({"http": port, "grpc": port + 1})
        assert api_ports(folder, None, 0)["http"] != port


def test_stack_json_has_what_clients_need() -> None:
    tenant = {"tenant_id": "t", "name": "Acme", "kind": "oncall", "api_key": "a", "application_key": "b"}
    facts = Facts(
        api={"http": 8080, "grpc": 8081},
        health={"api": 8090},
        addresses=Addresses(
            kafka="127.0.0.1:9092",
            postgres="postgresql://casestream:owner-word@127.0.0.1:5432/casestream",
            elasticsearch="http://127.0.0.1:9200",
            redis="redis://127.0.0.1:6379/0",
        ),
        reader=PREPARED.postgres_reader,
        app=PREPARED.postgres_app,
        tenants=[tenant],
        engines="embedded",
        started_at=0.0,
        supervisor=7,
    )
    stack = document(facts, {"api": 12})
    assert stack["http"] == "http://127.0.0.1:8080"
    assert stack["grpc"] == "127.0.0.1:8081"
    assert stack["tenants"] == [tenant]
    assert stack["pids"] == {"api": 12}
    assert stack["postgres"] == PREPARED.postgres_reader
    assert stack["started_at"] == "1970-01-01T00:00:00+00:00"
    assert "owner-word" not in str(stack)


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("host=h port=1 user=u password=w dbname=d", "postgresql://u:w@h:1/d"),
        ("postgresql://u:w@h:1/d", "postgresql://u:w@h:1/d"),
        ("host=::1 user=u password='a b/c@d' dbname=d", "postgresql://u:a%20b%2Fc%40d@[::1]:5432/d"),
        ("host=h user=u password=w dbname=d sslmode=require", "postgresql://u:w@h:5432/d?sslmode=require"),
    ],
)
def test_a_dsn_of_any_form_becomes_a_url(dsn: str, expected: str) -> None:
    assert url(dsn) == expected
