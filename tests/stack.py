"""Fixture `stack`: every role of the pipeline as a process, on this run's engines, once a session. A module that begins
finds all of them ready: what has ended meanwhile, since other tests kill engines, is started again.

Topic names are fixed, so two stacks on one set of engines would read each other's records: a lock of the machine lets
one in at a time. Each begins with new topics, an empty search index and a database of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import httpx
import pytest
from confluent_kafka.admin import AdminClient
from elasticsearch import Elasticsearch

from infra.cli.bootstrap import Prepared, prepare, tenants
from infra.cli.role import STACK
from infra.cli.stack.role import Role
from infra.engines import Engines
from infra.engines.ports import HOST, any_free
from infra.engines.process import Process
from migrations.elasticsearch_runner import load as load_indices
from tests.engines import data_folder, database
from tests.passwords import APP_PASSWORD, READER_PASSWORD, SINK_PASSWORD
from topologies.provision import topics

PARTITIONS: Final = 3
READY_SECONDS: Final = 150.0
STARTS: Final = 3
LOGS: Final = "CASESTREAM_TEST_LOGS"
STOP_ORDER: Final = (("api", "source."), ("worker",), ("sink.",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack that is ready. tenants: one of each kind with its keys, as `stack.json` shows them."""

    http: str
    grpc: str
    tenants: tuple[dict[str, str], ...]
    prepared: Prepared
    roles: dict[str, Role]

    @contextmanager
    def client(self, tenant: int = 0, **headers: str) -> Iterator[httpx.Client]:
        """An HTTP client with the keys of a tenant."""
        with httpx.Client(
            base_url=self.http, headers={**self.keys(tenant), **headers}, timeout=30, trust_env=False
        ) as client:
            yield client

    def keys(self, tenant: int = 0) -> dict[str, str]:
        """The headers that let a tenant in."""
        owner = self.tenants[tenant]
        return {"DD-API-KEY": owner["api_key"], "DD-APPLICATION-KEY": owner["application_key"]}


@pytest.fixture(scope="module")
def stack(running_stack: Stack) -> Stack:
    """All roles, ready, with two tenants: 0 is on call, 1 manages cases."""
    _await_ready(running_stack.roles)
    return running_stack


@pytest.fixture(scope="session")
def running_stack(engines: Engines) -> Iterator[Stack]:
    """The stack of this session."""
    with ExitStack() as held:
        held.enter_context(_alone())
        dsn = held.enter_context(database(engines.addresses.postgres))
        folder = held.enter_context(data_folder())
        _clear(engines.addresses.kafka, engines.addresses.elasticsearch)
        words = {
            "postgres_app": APP_PASSWORD,
            "postgres_sink": SINK_PASSWORD,
            "postgres_reader": READER_PASSWORD,
        }
        (folder / "secrets.json").write_text(json.dumps(words))
        addresses = SimpleNamespace(
            kafka=engines.addresses.kafka,
            postgres=dsn,
            elasticsearch=engines.addresses.elasticsearch,
            redis=engines.addresses.redis,
        )
        prepared = prepare(addresses, folder, partitions=PARTITIONS)
        ports: set[int] = set()
        for _ in range(len(STACK) + 2):
            ports.add(any_free(ports))
        http_port, grpc_port, *health_ports = sorted(ports)
        api = {"CASESTREAM_HTTP_PORT": str(http_port), "CASESTREAM_GRPC_PORT": str(grpc_port)}
        roles = {
            name: Role(
                name,
                log=folder / "logs" / f"{name}.log",
                # A name that is kept through a restart: its group gives it its partitions back at once.
                env={
                    **prepared.env,
                    "CASESTREAM_INSTANCE_ID": f"tests-{name}",
                    **(api if name == "api" else {}),
                },
                health_port=port,
                cwd=folder,
            )
            for name, port in zip(STACK, health_ports, strict=True)
        }
        held.callback(_keep_logs, folder / "logs")
        held.callback(_stop, roles)
        for role in roles.values():
            role.start()
        _await_ready(roles)
        made = tuple(tenants(prepared, folder))
        yield Stack(
            http=f"http://{HOST}:{http_port}",
            grpc=f"{HOST}:{grpc_port}",
            tenants=made,
            prepared=prepared,
            roles=roles,
        )


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock that keeps other stacks of this machine waiting."""
    with (Path(tempfile.gettempdir()) / "casestream-stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _clear(kafka: str, elasticsearch: str) -> None:
    """Remove what an earlier stack left on these engines. Its groups' offsets go with its topics."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 3})
    there = set(admin.list_topics(timeout=30).topics)
    old = [name for name in topics() if name in there]
    for deleted in admin.delete_topics(old, operation_timeout=30).values() if old else ():
        deleted.result(30)
    deadline = time.monotonic() + 30
    while not there.isdisjoint(old):
        assert time.monotonic() < deadline, f"topics are still there: {sorted(there.intersection(old))}"
        there = set(admin.list_topics(timeout=30).topics)
    with Elasticsearch(elasticsearch, request_timeout=60) as search:
        for file in load_indices():
            search.indices.delete(index=file.index, ignore_unavailable=True)


def _await_ready(roles: dict[str, Role]) -> None:
    """Wait until every role is ready. One that ends is started again, as a supervisor does, but not for ever."""
    deadline = time.monotonic() + READY_SECONDS
    waiting = dict(roles)
    starts = dict.fromkeys(roles, 1)
    while waiting:
        for name, role in tuple(waiting.items()):
            cause = role.readiness()
            if cause is None:
                del waiting[name]
            elif role.process.pid is None:
                if starts[name] == STARTS:
                    raise role.process.explain()
                starts[name] += 1
                role.start()
            elif time.monotonic() > deadline:
                pytest.fail(f"{name} was not ready in {READY_SECONDS:.0f} s: {cause}\n{role.process.tail(30)}")
        time.sleep(0.1)


def _stop(roles: dict[str, Role]) -> None:
    with ThreadPoolExecutor(len(roles)) as pool:
        for beginning in STOP_ORDER:
            together = [role.process for name, role in roles.items() if name.startswith(beginning)]
            # Each is waited for: who lets things in has ended before those that still write what came.
            list(pool.map(Process.stop, together))


def _keep_logs(logs: Path) -> None:
    kept = os.environ.get(LOGS)
    if kept and logs.exists():
        shutil.copytree(logs, kept, dirs_exist_ok=True)
