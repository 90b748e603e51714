"""Migrations on a real Postgres: each file once, in order, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from infra.engines import Engines
from migrations.__main__ import main
from migrations.roles import APP_ROLE, SINK_ROLE, RoleRefused
from migrations.runner import MigrationRefused, load, migrate
from sinks.postgres.queries import names, query
from tests.engines import database
from tests.passwords import APP_PASSWORD, SINK_PASSWORD

pytestmark = pytest.mark.engines


@pytest.fixture
def dsn(engines: Engines) -> Iterator[str]:
    """A database of this test alone."""
    with database(engines.addresses.postgres) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, to which a test adds its own."""
    (tmp_path / "0001_pre_first.sql").write_text("CREATE TABLE first (n integer);")
    (tmp_path / "0002_post_second.sql").write_text("INSERT INTO first VALUES (1);")
    return tmp_path


def run(dsn: str, **options: Any) -> list[str]:
    return migrate(dsn, app_password=APP_PASSWORD, sink_password=SINK_PASSWORD, **options)


def ask(dsn: str, text: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(text.encode()).fetchall()


def test_each_file_is_applied_once_and_a_repeated_run_does_nothing(dsn: str) -> None:
    expected = [m.name for m in load()]

    assert run(dsn) == expected
    applied = ask(dsn, "SELECT name, checksum, applied_at FROM schema_migration ORDER BY number")
    assert run(dsn) == []
    assert ask(dsn, "SELECT name, checksum, applied_at FROM schema_migration ORDER BY number") == applied
    assert [name for name, *_ in applied] == expected


def test_runners_that_start_together_apply_each_file_once(dsn: str, folder: Path) -> None:
    with ThreadPoolExecutor(4) as runners:
        applied = list(runners.map(lambda _: run(dsn, folder=folder), range(4)))

    assert sorted(name for names in applied for name in names) == ["0001_pre_first", "0002_post_second"]
    assert ask(dsn, "SELECT n FROM first") == [(1,)]


def test_a_file_that_fails_leaves_nothing_of_itself(dsn: str, folder: Path) -> None:
    (folder / "0003_pre_broken.sql").write_text(
        "CREATE TABLE half (n integer); INSERT INTO first VALUES (2); SELECT 1 / 0;"
    )
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(dsn, folder=folder)

    assert ask(dsn, "SELECT to_regclass('half'), array(SELECT n FROM first)") == [(None, [1])]
    assert ask(dsn, "SELECT max(number) FROM schema_migration") == [(2,)]
    (folder / "0003_pre_broken.sql").write_text("CREATE TABLE half (n integer);")
    assert run(dsn, folder=folder) == ["0003_pre_broken"]


def test_a_file_that_was_changed_after_it_was_applied_is_refused(dsn: str, folder: Path) -> None:
    run(dsn, folder=folder)
    (folder / "0002_post_second.sql").write_text("INSERT INTO first VALUES (2);")
    (folder / "0003_pre_third.sql").write_text("CREATE TABLE third (n integer);")
    with pytest.raises(MigrationRefused, match="0002_post_second was changed"):
        run(dsn, folder=folder)

    assert ask(dsn, "SELECT to_regclass('third')") == [(None,)]


def test_a_database_of_a_newer_version_is_refused(dsn: str, folder: Path) -> None:
    run(dsn, folder=folder)
    (folder / "0002_post_second.sql").unlink()
    with pytest.raises(MigrationRefused, match="upgrade first"):
        run(dsn, folder=folder)


def test_phases_are_applied_apart_and_post_not_before_pre(dsn: str, folder: Path) -> None:
    assert run(dsn, folder=folder, phase="pre") == ["0001_pre_first"]
    assert ask(dsn, "SELECT n FROM first") == []
    assert run(dsn, folder=folder, phase="post") == ["0002_post_second"]
    (folder / "0003_pre_third.sql").write_text("SELECT 1;")
    (folder / "0004_post_fourth.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationRefused, match="run phase pre first"):
        run(dsn, folder=folder, phase="post")


@pytest.mark.parametrize("name", ["3_pre_short.sql", "0003_during_x.sql", "0003_pre_Upper.sql", "0001_post_again.sql"])
def test_names_that_do_not_say_number_and_phase_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(MigrationRefused):
        load(folder)


def test_roles_can_log_in_and_nothing_more(dsn: str) -> None:
    run(dsn)

    assert ask(
        dsn,
        "SELECT DISTINCT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit "
        "FROM pg_roles WHERE rolname IN ('casestream_app', 'casestream_sink')",
    ) == [(True, False, False, False, False, False)]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo.make_conninfo(dsn, user=APP_ROLE, password="another"))
    with psycopg.connect(conninfo.make_conninfo(dsn, user=APP_ROLE, password=APP_PASSWORD)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (APP_ROLE,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (n integer)")


def test_a_role_that_row_level_security_does_not_hold_is_refused(dsn: str, folder: Path) -> None:
    ((superuser,), *_) = ask(dsn, "SELECT rolname FROM pg_roles WHERE rolsuper")
    with pytest.raises(RoleRefused, match=superuser):
        run(dsn, folder=folder, app_role=superuser)

    assert ask(dsn, "SELECT to_regclass('first')") == [(None,)]


def test_the_command_applies_says_so_and_repeats_harmlessly(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    env = {
        "CASESTREAM_POSTGRES_OWNER": dsn,
        "CASESTREAM_POSTGRES_APP_PASSWORD": APP_PASSWORD,
        "CASESTREAM_POSTGRES_SINK_PASSWORD": SINK_PASSWORD,
    }
    assert main([], env) == 0
    assert capsys.readouterr().out.splitlines() == [f"applied {m.name}" for m in load()]
    assert main([], env) == 0
    assert capsys.readouterr().out == "nothing to apply\n"
    assert main([], {}) == 2
    assert "CASESTREAM_POSTGRES_OWNER" in capsys.readouterr().err


def test_every_query_of_the_sink_prepares_for_the_role_that_runs_it(dsn: str) -> None:
    run(dsn)
    sink = conninfo.make_conninfo(dsn, user=SINK_ROLE, password=SINK_PASSWORD)
    with psycopg.connect(sink, autocommit=True) as connection:
        for name in names():
            text = query(name).decode()
            fields = list(dict.fromkeys(part.partition(")")[0] for part in text.split("%(")[1:]))
            for n, field in enumerate(fields, 1):
                text = text.replace(f"%({field})s", f"${n}")
            connection.execute(f"PREPARE {name}_query AS {text}".encode())
        prepared = connection.execute("SELECT name FROM pg_prepared_statements").fetchall()

    assert {name.removesuffix("_query") for (name,) in prepared} == set(names())
    assert len(prepared) >= 15
