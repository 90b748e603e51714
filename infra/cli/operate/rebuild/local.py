"""The Postgres roles that may write, of a stack on this machine: its folder keeps their words to whoever started it."""

from __future__ import annotations

import json
from pathlib import Path

from psycopg import conninfo

from infra.cli.bootstrap import SECRETS, SINK_ROLE
from infra.cli.operate.where import Where
from infra.engines import state
from infra.engines.postgres import OWNER


def writer(where: Where) -> str:
    """Return the DSN of the role that writes views: what was named, or that of the local stack."""
    if not where.folder or not (file := Path(where.folder) / SECRETS).exists():
        return where.postgres
    return _as(where.postgres, SINK_ROLE, _word(file, "postgres_sink"))


def owner(where: Where) -> str | None:
    """Return the DSN of the tables' owner in the local stack; None where the engines are not its own."""
    if not where.folder or not (Path(where.folder) / state.FILE).exists():
        return None
    return _as(where.postgres, OWNER, state.load(Path(where.folder)).owner)


def _word(file: Path, name: str) -> str:
    return str(json.loads(file.read_text())[name])


def _as(dsn: str, role: str, word: str) -> str:
    return conninfo.make_conninfo(dsn, user=role, password=word)
