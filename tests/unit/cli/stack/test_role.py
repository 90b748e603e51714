from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli.role import BROKEN, CONFIG, ROLES, STACK, STAGES, USAGE, main, runner
from topologies.graph import TOPOLOGY

ENGINES = {
    "CASESTREAM_KAFKA": "127.0.0.1:1",
    "CASESTREAM_POSTGRES": "postgresql://a:b@127.0.0.1:1/d",
    "CASESTREAM_ELASTICSEARCH": "http://127.0.0.1:1",
    "CASESTREAM_REDIS": "redis://127.0.0.1:1/0",
}


def role(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return subprocess.run(
        # -P: the path of PYTHONPATH comes before the checkout, which is the working folder.
        [sys.executable, "-P", "-m", "infra.cli.role", *arguments],
        env={**inherited, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["api", "api"]])
def test_wrong_arguments_are_answered_with_the_roles(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == USAGE
    said = capsys.readouterr().err
    assert all(name in said for name in ROLES)


def test_wrong_settings_are_all_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CASESTREAM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CASESTREAM_HTTP_PORT", "many")
    assert main(["api"]) == CONFIG
    said = capsys.readouterr().err
    for name in (*ENGINES, "CASESTREAM_HTTP_PORT"):
        assert name in said


def test_an_error_that_nobody_caught_is_the_last_line_and_ends_the_process(tmp_path: Path) -> None:
    package = tmp_path / "sinks" / "postgres"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    # A thread that goes on must not keep the process alive either.
    (package / "main.py").write_text(
        "import threading, time\n"
        "def run(settings):\n"
        "    threading.Thread(target=time.sleep, args=(300,)).start()\n"
        "    raise RuntimeError('the table is gone')\n"
    )
    done = role("sink.postgres", **ENGINES, PYTHONPATH=str(tmp_path))
    assert done.returncode == BROKEN
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["level"] == "critical"
    assert last["cause"] == "RuntimeError: the table is gone"
    assert "RuntimeError: the table is gone" in last["exception"]


def test_a_stack_runs_every_stage_in_one_process_and_a_deployment_may_run_each_alone() -> None:
    assert "worker" in STACK
    assert not set(STAGES).intersection(STACK)
    assert {f"worker.{stage.name}" for stage in TOPOLOGY.stages} == set(STAGES)
    assert set(ROLES) == {*STACK, *STAGES}
    for name in ("worker", *STAGES):
        assert callable(runner(name))


def test_a_name_that_is_no_role_has_no_runner() -> None:
    with pytest.raises(KeyError):
        runner("worker.unknown")
