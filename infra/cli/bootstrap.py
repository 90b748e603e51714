"""What a new data folder needs before and after its roles run: topics, migrations, secrets, and one tenant of each kind."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaError, Message, Producer
from psycopg import conninfo

from infra.cli.stack.reader import ensure_reader
from infra.runtime.errors import CasestreamError
from infra.runtime.kafka import PRODUCER
from schemas import codec
from streams.config.commands import BindRoutingKey, CreateProject, IssueCredential, RegisterTenant
from streams.config.project import CredentialKind, TenantKind
from streams.envelope import Envelope
from streams.ids import NAMESPACE, derive
from streams.text import Sealed
from streams.topics import CONFIG_COMMANDS

WAIT_SECONDS: Final = 60.0

APP_ROLE: Final = "casestream_app"
SINK_ROLE: Final = "casestream_sink"
SECRETS: Final = "secrets.json"
"""In the data folder, readable by whoever started the stack: the words of its roles."""


class BootstrapFailed(CasestreamError):  # noqa: N818 - named after what happened
    """The stack could not be prepared; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """env: what roles are started with. postgres_reader: DSN that reads all tenants. created: the topics that are new."""

    env: Mapping[str, str] = field(repr=False)
    postgres_app: str = field(repr=False)
    postgres_reader: str = field(repr=False)
    created: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlan:
    """A tenant that every new stack has."""

    name: str
    kind: TenantKind
    project_key: str
    project_name: str


TENANTS: Final = (
    TenantPlan(name="Acme On-Call", kind=TenantKind.ONCALL, project_key="OPS", project_name="Operations"),
    TenantPlan(name="Globex Support", kind=TenantKind.CASE_MANAGEMENT, project_key="SUP", project_name="Support"),
)


def prepare(addresses: Any, data_dir: Path, *, partitions: int = 4, replication: int | None = None) -> Prepared:
    """Create topics, migrate the databases, and make the passwords of the database roles once.

    addresses: `kafka`, `postgres` (the owner's DSN), `elasticsearch`, `redis`. replication: copies of each record; None: three, or
    as many as there are brokers. It may be repeated at any time.
    """
    from migrations.elasticsearch_runner import migrate as migrate_elasticsearch
    from migrations.runner import migrate as migrate_postgres
    from topologies.provision import provision

    words = _secrets(data_dir)
    created = provision(addresses.kafka, partitions=partitions, replication=replication)
    migrate_postgres(addresses.postgres, app_password=words["postgres_app"], sink_password=words["postgres_sink"])
    reader = ensure_reader(addresses.postgres, words["postgres_reader"])
    migrate_elasticsearch(addresses.elasticsearch)
    app = conninfo.make_conninfo(addresses.postgres, user=APP_ROLE, password=words["postgres_app"])
    sink = conninfo.make_conninfo(addresses.postgres, user=SINK_ROLE, password=words["postgres_sink"])
    env = {
        "CASESTREAM_KAFKA": addresses.kafka,
        "CASESTREAM_POSTGRES": app,
        "CASESTREAM_POSTGRES_SINK": sink,
        "CASESTREAM_ELASTICSEARCH": addresses.elasticsearch,
        "CASESTREAM_REDIS": addresses.redis,
        "CASESTREAM_PARTITIONS": str(partitions),
        "CASESTREAM_DATA_DIR": str(data_dir),
    }
    return Prepared(env=env, postgres_app=app, postgres_reader=reader, created=tuple(created))


def tenants(prepared: Prepared, data_dir: Path) -> list[dict[str, str]]:
    """Return one tenant of each kind with its keys, as `stack.json` shows them; make them where they are not there.

    The roles must run, because tenants are made as everything is: by commands. Ids follow from a seed that the data
    folder keeps, so that an interrupted start goes on where it was.
    """
    path = data_dir / "tenants.json"
    if path.exists():
        known: list[dict[str, str]] = json.loads(path.read_text())
        if all(_live(prepared.postgres_app, t["api_key"]) for t in known):
            return known
    words = _secrets(data_dir)
    made = [_make(prepared, plan, words) for plan in TENANTS]
    _write_private(path, made)
    return made


def _make(prepared: Prepared, plan: TenantPlan, words: Mapping[str, str]) -> dict[str, str]:
    seed = words[f"seed_{plan.kind.value}"]
    tenant_id = derive(str(NAMESPACE), "tenant", seed)
    api_key = sha256(f"{seed}/api".encode()).hexdigest()[:32]
    application_key = sha256(f"{seed}/application".encode()).hexdigest()[:40]
    routing_key = sha256(f"{seed}/routing".encode()).hexdigest()[:32]
    owner = derive(tenant_id, "user", "admin")
    ids = {
        step: derive(tenant_id, "bootstrap", step) for step in ("tenant", "api", "application", "project", "routing")
    }
    project_id = derive(ids["project"], "project")
    commands: list[tuple[str, Any]] = [
        (ids["tenant"], RegisterTenant(name=Sealed.plain(plan.name), kind=plan.kind)),
        (ids["api"], _credential(CredentialKind.API_KEY, api_key, owner, "first API key")),
        (
            ids["application"],
            _credential(CredentialKind.APPLICATION_KEY, application_key, owner, "first application key"),
        ),
        (ids["project"], CreateProject(key=plan.project_key, name=Sealed.plain(plan.project_name))),
        (ids["routing"], BindRoutingKey(digest=_digest(routing_key), project_id=project_id)),
    ]
    _append(prepared, tenant_id, commands)
    _await_outcomes(prepared.postgres_app, tenant_id, [command_id for command_id, _ in commands])
    return {
        "tenant_id": tenant_id,
        "name": plan.name,
        "kind": plan.kind.value,
        "api_key": api_key,
        "application_key": application_key,
        "routing_key": routing_key,
        "project_id": project_id,
        "project_key": plan.project_key,
    }


def _credential(kind: CredentialKind, key: str, owner: str, name: str) -> IssueCredential:
    return IssueCredential(kind=kind, digest=_digest(key), owner=owner, name=Sealed.plain(name))


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _append(prepared: Prepared, tenant_id: str, commands: list[tuple[str, Any]]) -> None:
    producer = Producer({**PRODUCER, "bootstrap.servers": prepared.env["CASESTREAM_KAFKA"]})
    failed: list[str] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error.str())

    now = time.time_ns() // 1000
    for command_id, body in commands:
        envelope = Envelope(
            tenant_id=tenant_id,
            aggregate_id=tenant_id,
            id=command_id,
            correlation_id=command_id,
            source="bootstrap",
            actor="system:bootstrap",
            occurred_at=now,
            recorded_at=now,
            reply_by=now + int(WAIT_SECONDS * 1_000_000),
        )
        producer.produce(CONFIG_COMMANDS, codec.encode(envelope, body), tenant_id, on_delivery=delivered)
    if producer.flush(30) or failed:
        raise BootstrapFailed(f"Kafka did not take the first tenants: {failed or 'no answer in 30 s'}")


def _await_outcomes(dsn: str, tenant_id: str, command_ids: list[str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, false)", (tenant_id,))
        connection.execute("LISTEN casestream_outcome")
        for outcomes in _outcomes(connection, command_ids):
            refused = [f"{code}: {detail}" for verdict, code, detail in outcomes if verdict == "rejected"]
            if refused:
                raise BootstrapFailed(f"the first tenant was refused: {'; '.join(refused)}")
            if len(outcomes) == len(command_ids):
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise BootstrapFailed(
                    f"the first tenant did not come through in {WAIT_SECONDS:.0f} s; "
                    "look at `casestream logs worker` and `casestream logs sink.postgres`"
                )
            # A notification wakes this early; without one it looks again twice a second.
            next(iter(connection.notifies(timeout=min(left, 0.5), stop_after=1)), None)


def _outcomes(connection: psycopg.Connection[Any], command_ids: list[str]) -> Iterator[list[tuple[str, str, str]]]:
    while True:
        yield connection.execute(
            "SELECT verdict, code, detail FROM command_outcome WHERE command_id = ANY(%s::uuid[])", (command_ids,)
        ).fetchall()


def _live(dsn: str, key: str) -> bool:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute("SELECT 1 FROM authenticate(%s)", (_digest(key),)).fetchone() is not None


def _secrets(data_dir: Path) -> dict[str, str]:
    """Return the words that this data folder keeps to itself, made at its first start."""
    path = data_dir / SECRETS
    words: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    wanted = ("postgres_app", "postgres_sink", "postgres_reader", *(f"seed_{kind.value}" for kind in TenantKind))
    missing = [word for word in wanted if word not in words]
    if missing:
        words |= {word: secrets.token_hex(24) for word in missing}
        _write_private(path, words)
    return words


def _write_private(path: Path, content: Any) -> None:
    """Write JSON that only the owner may read, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
