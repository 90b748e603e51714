from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.stack.board import DOWN, READY, Board, new
from infra.cli.stack.command import app
from infra.cli.stack.folder import Folder
from infra.cli.stack.status import StatusFile, read


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.at(tmp_path)
    made.create()
    return made


@pytest.fixture
def held(folder: Folder) -> Iterator[Folder]:
    descriptor = folder.hold()
    yield folder
    os.close(descriptor)


def board() -> Board:
    told = new({"kafka": "engine", "api": "role"})
    told.line("kafka", state=READY, pid=1)
    told.line("api", state=READY, pid=2)
    told.ready(20.0, 900)
    return told


def status(folder: Folder, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["status", "--data-dir", str(folder.root), *more])
    return done.exit_code, done.output


def test_where_nothing_runs_it_ends_with_3_and_says_what_to_do(folder: Folder) -> None:
    code, text = status(folder)
    assert code == 3
    assert "casestream up" in text
    code, text = status(folder, "--json")
    assert code == 3
    assert json.loads(text)["state"] == "stopped"


def test_a_ready_stack_ends_with_0(held: Folder) -> None:
    with StatusFile(held, board()):
        code, text = status(held, "--json")
        assert code == 0
        document = json.loads(text)
        assert document["ready"] is True
        assert document["state"] == "ready"
        assert [line["pid"] for line in document["lines"]] == [1, 2]
        code, text = status(held)
        assert code == 0
        assert "ready in 20 s" in text


def test_a_role_that_is_down_makes_it_degraded(held: Folder) -> None:
    told = board()
    with StatusFile(held, told):
        told.line("api", state=DOWN, note="ended (signal SIGKILL)")
    code, text = status(held)
    assert code == 1
    assert "SIGKILL" in text
    assert "degraded" in text


def test_a_stack_that_starts_is_not_ready_yet(held: Folder) -> None:
    told = new({"kafka": "engine"})
    with StatusFile(held, told):
        assert read(held).state == "starting"
        assert status(held)[0] == 1


def test_a_supervisor_that_has_not_said_anything_yet_is_no_error(held: Folder) -> None:
    held.write_status({"supervisor": 1, **board().snapshot.to_json()})
    code, text = status(held)
    assert code == 1
    assert str(os.getpid()) in text


def test_a_killed_supervisor_leaves_neither_readiness_nor_pids(folder: Folder) -> None:
    folder.write_status({"supervisor": 1, **board().snapshot.to_json()})
    code, text = status(folder, "--json")
    document = json.loads(text)
    assert code == 3
    assert document["state"] == "killed"
    assert document["ready"] is False
    assert "lines" not in document


def test_a_failed_start_can_be_read_afterwards(folder: Folder) -> None:
    told = board()
    told.phase("failed", failure="port 8080, asked for http, is taken")
    folder.write_status({"supervisor": 1, **told.snapshot.to_json()})
    code, text = status(folder)
    assert code == 3
    assert "port 8080" in text


def test_the_last_state_is_written_even_where_it_came_just_before_the_end(held: Folder) -> None:
    told = board()
    with StatusFile(held, told):
        told.phase("failed", failure="at the last moment")
    assert held.read_status()["failure"] == "at the last moment"
