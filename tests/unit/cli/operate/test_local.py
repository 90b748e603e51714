"""Who may write to the Postgres of a stack on this machine is known by what its folder keeps."""

from __future__ import annotations

import json
from pathlib import Path

from psycopg import conninfo

from infra.cli.operate.rebuild import local
from infra.cli.operate.where import Where, resolve

READER = "postgresql://casestream_reader:reads@127.0.0.1:5432/casestream"


def stack(folder: Path, **files: object) -> Where:
    document = {"kafka": "127.0.0.1:1", "postgres": READER, "elasticsearch": "http://h:3"}
    for name, content in {"stack": document, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return resolve(folder, {})


def test_a_local_stack_tells_who_writes_its_views_and_who_owns_its_tables(tmp_path: Path) -> None:
    known = {"cluster_id": "c1", "superuser": "all", "owner": "owns", "ports": {}}
    where = stack(tmp_path, secrets={"postgres_sink": "writes"}, engines=known)

    writer, owner = local.writer(where), local.owner(where)

    place = {"host": "127.0.0.1", "port": "5432", "dbname": "casestream"}
    assert conninfo.conninfo_to_dict(writer) == {**place, "user": "casestream_sink", "password": "writes"}
    assert owner is not None
    assert conninfo.conninfo_to_dict(owner) == {**place, "user": "casestream", "password": "owns"}


def test_engines_of_somebody_else_have_an_owner_who_must_be_named(tmp_path: Path) -> None:
    where = stack(tmp_path, secrets={"postgres_sink": "writes"})

    assert local.owner(where) is None
    assert "casestream_sink" in local.writer(where)


def test_engines_that_were_named_are_taken_as_they_were_named() -> None:
    where = resolve(None, {"kafka": "far:9092", "postgres": "postgresql://sink@far/db"})

    assert local.writer(where) == "postgresql://sink@far/db"
    assert local.owner(where) is None
