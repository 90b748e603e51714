"""Fixture `operate`: an operator's command on the engines of the running stack."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from tests.stack import Stack

Operate = Callable[..., Any]


@pytest.fixture(scope="module")
def engines_file(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack's file with the engines, as `casestream up` writes it."""
    folder = tmp_path_factory.mktemp("operate")
    named = {
        "kafka": stack.prepared.env["CASESTREAM_KAFKA"],
        "postgres": stack.prepared.postgres_reader,
        "elasticsearch": stack.prepared.env["CASESTREAM_ELASTICSEARCH"],
    }
    (folder / "stack.json").write_text(json.dumps(named))
    return folder


@pytest.fixture
def operate(engines_file: Path, monkeypatch: pytest.MonkeyPatch) -> Operate:
    """Run a command with --json; return its document. exits: the exit code that is expected."""
    for name in ("KAFKA", "POSTGRES_SINK", "ELASTICSEARCH"):
        monkeypatch.delenv(f"CASESTREAM_{name}", raising=False)

    def run(*arguments: str, exits: int = 0) -> Any:
        line = [*arguments, "--json", "--stack", str(engines_file)]
        done = CliRunner().invoke(app, line, catch_exceptions=False)
        assert done.exit_code == exits, f"{line}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr)

    return run


def until(holds: Callable[[], bool], *, seconds: float = 30.0, what: str) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
