from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli.stack.command import app
from infra.cli.stack.options import Options


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("command", ["up", "down", "status", "logs", "demo", "fetch", "version"])
def test_every_command_explains_itself(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "Usage" in done.output
    if command != "version":
        assert f"$ casestream {command}" in done.output or "Examples" in done.output


def test_help_says_where_to_begin() -> None:
    done = run("--help")
    assert "casestream up --detach" in done.output
    assert "--install-completion" in done.output


@pytest.mark.parametrize(("option", "module"), [((), "foreground.run"), (("--detach",), "detach.up")])
def test_up_hands_over_what_was_asked_for(
    option: tuple[str, ...], module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Options] = []

    def taken(options: Options, *_: Any) -> int:
        asked.append(options)
        return 7

    monkeypatch.setattr(f"infra.cli.stack.{module}", taken)
    done = run(
        *("up", *option, "--data-dir", str(tmp_path), "--http-port", "18080", "--kafka-port", "0"),
        *("--engines", "embedded", "--system", "redis"),
    )
    assert done.exit_code == 7
    (options,) = asked
    assert (options.http_port, options.grpc_port) == (18080, None)
    assert (options.engine_ports.kafka, options.engine_ports.redis) == (0, None)
    assert options.system == {"redis"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--http-port", "70000"),
        ("--http-port", "x"),
        ("--engines", "magic"),
        ("--unknown",),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_happens(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert run("up", "--data-dir", str(tmp_path / "new"), *arguments).exit_code == 2
    assert not (tmp_path / "new").exists()


def test_options_that_contradict_each_other_end_with_1_and_a_sentence(tmp_path: Path) -> None:
    done = run("up", "--data-dir", str(tmp_path / "new"), "--http-port", "8080", "--grpc-port", "8080")
    assert done.exit_code == 1
    assert "both ask for 8080" in done.stderr
    assert not (tmp_path / "new").exists()


def test_demo_without_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    done = run("demo", "--data-dir", str(tmp_path))
    assert done.exit_code == 1
    assert "casestream up" in done.stderr


def test_versions_are_those_of_the_lock() -> None:
    versions = json.loads(run("version", "--json").output)
    assert versions["faust-streaming"] == "0.15.3"
    assert set(versions) == {"casestream", "python", "faust-streaming", "kafka", "elasticsearch"}


def test_names_of_logs_are_completed() -> None:
    from infra.cli.stack.command import _names

    assert _names("w") == ["worker"]
    assert "kafka" in _names("")


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    done = run("down", "--data-dir", str(tmp_path))
    assert done.exit_code == 0
    assert "nothing runs" in done.output
