"""The wheel works outside the checkout, with what an ordinary `pip install` chooses: no lock, no override."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from infra.cli.role import CONFIG, ROLES, USAGE
from tests import wheel

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

PACKAGES = ("streams", "schemas", "topologies", "sinks", "sources", "migrations", "infra")
DATA = (".avsc", ".sql", ".json", ".java", ".proto", ".pyi", ".typed")


def test_every_file_that_a_process_reads_is_in_the_wheel() -> None:
    roots = {name: wheel.ROOT / name for name in PACKAGES}
    roots |= {"command_api": wheel.ROOT / "command-api/command_api", "query_api": wheel.ROOT / "query-api/query_api"}
    wanted = {
        f"{name}/{path.relative_to(root).as_posix()}"
        for name, root in roots.items()
        for path in root.rglob("*")
        if path.suffix in {*DATA, ".py"} and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel.built()) as archive:
        packed = set(archive.namelist())
    assert not wanted - packed
    for kind in DATA:
        assert any(name.endswith(kind) for name in wanted), f"no {kind} was looked for"


def test_the_wheel_brings_no_tests_and_no_second_copy_of_a_hyphenated_folder() -> None:
    with zipfile.ZipFile(wheel.built()) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {*PACKAGES, "command_api", "query_api"}


def test_plain_pip_chooses_the_faust_that_this_is_written_for(tmp_path: Path) -> None:
    done = wheel.run(
        "python", "-P", "-c", "import faust, importlib.metadata as m; print(m.version('faust-streaming'))", cwd=tmp_path
    )
    assert done.stdout.strip() == "0.15.3", done.stderr


def test_the_installed_code_is_not_the_checkouts(tmp_path: Path) -> None:
    done = wheel.run(
        "python", "-P", "-c", "import infra.cli, streams; print(infra.cli.__file__, streams.__file__)", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert str(wheel.ROOT) not in done.stdout


def test_both_commands_are_installed_and_explain_themselves(tmp_path: Path) -> None:
    for program in ("casestream", "case-cli"):
        done = wheel.run(program, "--help", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stdout
    versions = json.loads(wheel.run("casestream", "version", "--json", cwd=tmp_path).stdout)
    assert versions["faust-streaming"] == "0.15.3"
    assert wheel.run("casestream", "status", cwd=tmp_path).returncode == 3


def test_a_role_can_be_run_from_it_and_says_what_it_needs(tmp_path: Path) -> None:
    done = wheel.run("python", "-P", "-m", "infra.cli.role", cwd=tmp_path)
    assert done.returncode == USAGE
    assert all(name in done.stderr for name in ROLES)
    done = wheel.run("python", "-P", "-m", "infra.cli.role", "worker.cases", cwd=tmp_path)
    assert done.returncode == CONFIG
    assert "CASESTREAM_KAFKA is not set" in done.stderr


def test_the_code_of_every_role_can_be_imported_from_it(tmp_path: Path) -> None:
    program = f"from infra.cli.role import runner\nfor name in {ROLES!r}: runner(name)\nprint('all')"
    done = wheel.run("python", "-P", "-c", program, cwd=tmp_path)
    assert done.stdout.strip() == "all", done.stderr


def test_schemas_migrations_and_locked_jars_are_read_from_it(tmp_path: Path) -> None:
    program = (
        "from migrations.runner import load; from infra.engines.artifacts import locked; from topologies.provision "
        "import topics; from schemas.codec import encode; print(len(load()) > 0, len(locked()) > 0, len(topics()) > 0)"
    )
    done = wheel.run("python", "-P", "-c", program, cwd=tmp_path)
    assert done.stdout.strip() == "True True True", done.stderr
