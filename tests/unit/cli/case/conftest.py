"""The command in front of an API that a test scripts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli.case import client as case_client
from infra.cli.case import receipt as case_receipt
from infra.cli.case import stream as case_stream
from infra.cli.case import text as case_text
from infra.cli.case.app import app
from tests.unit.cli.case.fake_api import NOW, STACK, Api, Result, Run


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a stack in it, in Berlin, at a fixed time, with nothing in the environment."""
    (tmp_path / ".casestream").mkdir()
    (tmp_path / ".casestream" / "stack.json").write_text(json.dumps(STACK))
    monkeypatch.chdir(tmp_path)
    for name in ("STACK", "TENANT", "URL", "API_KEY", "APPLICATION_KEY", "ROUTING_KEY", "DEBUG"):
        monkeypatch.delenv(f"CASESTREAM_{name}", raising=False)
    monkeypatch.setattr(case_text, "_now", lambda: NOW)
    return tmp_path


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits in these tests: what would have been waited is here, and time has gone on by as much."""
    waited: list[float] = []

    class Clock:
        @staticmethod
        def sleep(seconds: float) -> None:
            waited.append(seconds)

        @staticmethod
        def monotonic() -> float:
            return sum(waited)

    for module in (case_client, case_receipt, case_stream):
        monkeypatch.setattr(module, "time", Clock)
    return waited


@pytest.fixture
def run(api: Api, folder: Path, pauses: list[float]) -> Run:
    """Run the command with these arguments."""

    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
        transport = httpx.MockTransport(api)
        result = CliRunner().invoke(app, list(arguments), obj=transport, input=stdin, catch_exceptions=False)
        return Result(exit_code=result.exit_code, out=result.stdout, err=result.stderr)

    return invoke
