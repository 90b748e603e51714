"""`casestream up` whole, on engines and a data folder of its own: what is killed comes back, and nothing is lost.

Not on this run's shared engines: topic names are fixed, and the roles of fixture `stack` may be at work on those.
The tests use one stack in the order in which they are written.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from psycopg import errors

from infra.cli.role import STACK
from tests.engines import data_folder

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

COMMAND = Path(sys.executable).with_name("casestream")
ENGINES = ("kafka", "postgres", "elasticsearch", "redis")
ANY_PORTS = tuple(
    word for name in ("http", "grpc", *ENGINES) for word in (f"--{name}-port", "0")
)  # never those of a stack that somebody uses


class Stack:
    """The stack under test, by its command alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, seconds: float = 300, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMMAND), *arguments, "--data-dir", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=self.folder,
            env={**os.environ, **env},
        )

    def up(self) -> str:
        done = self.run("up", "--detach", *ANY_PORTS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def document(self) -> dict[str, Any]:
        stack: dict[str, Any] = json.loads((self.folder / "stack.json").read_text())
        return stack

    def status(self) -> dict[str, Any]:
        done = self.run("status", "--json")
        status: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == {True: 0}.get(status["ready"], 1 if status["running"] else 3)
        return status

    def pids(self) -> dict[str, int]:
        return {line["name"]: line["pid"] for line in self.status()["lines"] if line["pid"] is not None}

    def await_ready(self, seconds: float = 120) -> None:
        within(seconds, lambda: self.status()["ready"], lambda: str(self.status()))

    def titles(self, tenant: int) -> list[str]:
        with httpx.Client(base_url=self.document["http"], headers=self.keys(tenant), trust_env=False) as client:
            answer = client.get("/api/v2/cases", params={"page[size]": 100}).raise_for_status().json()
        return sorted(case["attributes"]["title"] for case in answer["data"])

    def keys(self, tenant: int) -> dict[str, str]:
        owner = self.document["tenants"][tenant]
        return {"DD-API-KEY": owner["api_key"], "DD-APPLICATION-KEY": owner["application_key"]}


def within(seconds: float, holds: Callable[[], object], about: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, about()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with data_folder() as folder:
        made = Stack(folder)
        made.up()
        yield made
        made.run("down")


def test_a_ready_stack_says_where_it_is_how_long_it_took_and_how_much_it_holds(stack: Stack) -> None:
    status = stack.status()
    assert {line["name"] for line in status["lines"]} == {*ENGINES, *STACK}
    assert 0 < status["ready_megabytes"] < 3_000
    assert status["ready_seconds"] > 0
    document = stack.document
    assert stat.S_IMODE((stack.folder / "stack.json").stat().st_mode) == 0o600
    assert [tenant["kind"] for tenant in document["tenants"]] == ["oncall", "case_management"]
    assert httpx.get(f"{document['http']}/readyz", trust_env=False).json()["ready"] is True
    host, _, port = document["grpc"].partition(":")
    socket.create_connection((host, int(port)), timeout=5).close()


def test_each_tenant_is_let_in_by_its_own_keys_and_sees_its_own_project(stack: Stack) -> None:
    for number, tenant in enumerate(stack.document["tenants"]):
        answer = httpx.get(
            f"{stack.document['http']}/api/v2/cases/projects", headers=stack.keys(number), trust_env=False
        ).json()
        assert [project["id"] for project in answer["data"]] == [tenant["project_id"]]


def test_the_published_postgres_role_reads_every_tenant_and_writes_none(stack: Stack) -> None:
    tenants = {tenant["tenant_id"] for tenant in stack.document["tenants"]}
    with psycopg.connect(stack.document["postgres"], autocommit=True) as connection:
        closed = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
            "AND NOT has_table_privilege(oid, 'SELECT')"
        ).fetchone()
        assert closed == (0,)
        seen = {str(row[0]) for row in connection.execute("SELECT tenant_id FROM project").fetchall()}
        assert seen == tenants
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DELETE FROM project")


def test_the_demonstration_can_be_told_twice_and_doubles_nothing(stack: Stack) -> None:
    done = stack.run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    first = [stack.titles(0), stack.titles(1)]
    assert all(len(titles) >= 5 for titles in first)
    assert all(len(set(titles)) == len(titles) for titles in first)
    assert stack.run("demo").returncode == 0
    assert [stack.titles(0), stack.titles(1)] == first


def test_logs_are_shown_by_role_and_by_engine(stack: Stack) -> None:
    done = stack.run("logs", "api", "-n", "5")
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["role"] == "api"
    assert "KafkaRaftServer" in stack.run("logs", "kafka", "-n", "5000").stdout
    assert stack.run("logs", "nobody").returncode == 1


def test_a_second_stack_on_the_folder_is_refused_and_the_first_one_stays(stack: Stack) -> None:
    for how in ((), ("--detach",)):
        done = stack.run("up", *how, *ANY_PORTS)
        assert done.returncode == 1
        assert "--data-dir" in done.stderr
    assert stack.status()["ready"]


def test_all_roles_are_killed_and_all_come_back(stack: Stack) -> None:
    before = stack.pids()
    for name in STACK:
        os.kill(before[name], signal.SIGKILL)
    within(10, lambda: not stack.status()["ready"], lambda: "nobody noticed")
    stack.await_ready()
    after = stack.pids()
    assert not {after[name] for name in STACK} & {before[name] for name in STACK}
    assert all(after[name] == before[name] for name in ENGINES)
    within(5, lambda: stack.document["pids"] == after, lambda: f"stack.json has other pids than {after}")
    restarts = {line["name"]: line["restarts"] for line in stack.status()["lines"]}
    assert all(restarts[name] >= 1 for name in STACK)


def test_every_engine_is_killed_and_all_come_back_with_their_data(stack: Stack) -> None:
    titles, before = stack.titles(0), stack.pids()
    for name in ENGINES:
        os.kill(before[name], signal.SIGKILL)
    within(10, lambda: not stack.status()["ready"], lambda: "nobody noticed")
    stack.await_ready(180)
    after = stack.pids()
    assert not {after[name] for name in ENGINES} & {before[name] for name in ENGINES}
    assert stack.titles(0) == titles


def test_a_killed_supervisor_takes_all_with_it_and_the_next_goes_on_where_it_was(stack: Stack) -> None:
    titles, before, pids = [stack.titles(0), stack.titles(1)], stack.document, stack.pids()
    os.kill(before["supervisor"], signal.SIGKILL)
    children = [psutil.Process(pid) for pid in pids.values() if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    assert stack.status()["state"] == "killed"
    done = stack.run("up", "--detach")
    assert done.returncode == 0, done.stdout + done.stderr
    after = stack.document
    for name in ("http", "grpc", *ENGINES, "tenants", "postgres_app", "health"):
        assert after[name] == before[name], name
    assert [stack.titles(0), stack.titles(1)] == titles


def test_down_stops_everything_in_order_and_again_does_nothing(stack: Stack) -> None:
    pids = [psutil.Process(pid) for pid in stack.pids().values()]
    done = stack.run("down")
    assert done.returncode == 0, done.stdout + done.stderr
    _, alive = psutil.wait_procs(pids, timeout=1)
    assert not alive
    assert done.stdout.index("api  stopped") < done.stdout.index("sink.postgres  stopped")
    assert not (stack.folder / "stack.json").exists()
    assert stack.status()["state"] == "stopped"
    again = stack.run("down")
    assert again.returncode == 0
    assert "nothing runs" in again.stdout


def test_a_port_that_is_taken_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for how in ((), ("--detach",)):
            done = Stack(tmp_path).run("up", *how, "--http-port", port, seconds=30)
            assert done.returncode == 1
            assert port in done.stderr
            assert "ss -ltnp" in done.stderr
    assert not (tmp_path / "kafka").exists()
    assert port in Stack(tmp_path).run("status").stdout


def test_external_engines_that_do_not_answer_are_all_named(tmp_path: Path) -> None:
    done = Stack(tmp_path).run(
        "up",
        "--engines",
        "external",
        seconds=60,
        CASESTREAM_KAFKA="127.0.0.1:1",
        CASESTREAM_POSTGRES="postgresql://owner:hush@127.0.0.1:1/casestream",
        CASESTREAM_ELASTICSEARCH="http://127.0.0.1:1",
        CASESTREAM_REDIS="redis://127.0.0.1:1/0",
    )
    assert done.returncode == 1
    for name in ENGINES:
        assert f"CASESTREAM_{name.upper()}" in done.stderr
    assert "hush" not in done.stdout + done.stderr
