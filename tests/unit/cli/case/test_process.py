"""The command as a process of its own: pipes, encodings, help, how soon it answers, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli.case.app import app

COMMAND = (sys.executable, "-m", "infra.cli.case.command")
ROOT = Path(__file__).parents[4]
Process = Callable[..., "subprocess.CompletedProcess[str]"]
# Not pydantic: typer reads values with it.
HEAVY = (
    "faust",
    "mode",
    "elasticsearch",
    "psycopg",
    "redis",
    "starlette",
    "confluent_kafka",
    "httpx",
    "grpc",
)


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run a shell line in an empty folder; `case-cli` is the command."""

    def run(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CASESTREAM_")}
        path = os.pathsep.join(str(ROOT / part) for part in ("", "command-api", "query-api"))
        return subprocess.run(
            ["bash", "-c", f'case-cli() {{ {" ".join(COMMAND)} "$@"; }}; {line}'],
            cwd=tmp_path,
            env={**kept, "HOME": str(tmp_path), "PYTHONPATH": path, "COLUMNS": "100", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_help_brings_nothing_heavy(process: Process, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import sys
from infra.cli.case.app import app
try:
    app(sys.argv[1:])
except SystemExit:
    pass
print("LOADED", *(m for m in {HEAVY} if m in sys.modules ))
"""
    )

    assert process(f"{sys.executable} script.py --help").stdout.splitlines()[-1] == "LOADED"
    assert process(f"{sys.executable} script.py cases list --help").stdout.splitlines()[-1] == "LOADED"


def test_completion_brings_nothing_heavy_either(process: Process) -> None:
    shown = process(
        "case-cli",
        _CASE_CLI_COMPLETE="complete_bash",
        COMP_WORDS="case-cli cases l",
        COMP_CWORD="2",
        PYTHONPROFILEIMPORTTIME="1",
    )

    loaded = {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()}
    assert shown.stdout.split() == ["list"]
    assert "infra.cli.case.app" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "line", ["case-cli topology | head -1", "case-cli --help | head -1", "case-cli cases --help | true"]
)
def test_a_reader_who_has_seen_enough_gets_no_traceback(process: Process, line: str) -> None:
    shown = process(f"set -o pipefail; {line}")

    assert shown.stderr == ""


def test_the_reader_of_a_long_answer_may_leave(process: Process) -> None:
    shown = process("set -o pipefail; for i in 1 2 3; do case-cli topology --mermaid | head -1; done")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == ["flowchart LR"] * 3


def test_the_pipeline_is_told_as_text_and_as_a_chart(process: Process) -> None:
    from topologies import describe
    from topologies.graph import TOPOLOGY

    assert process("case-cli topology").stdout == describe.text(TOPOLOGY)
    assert process("case-cli topology --mermaid").stdout == describe.mermaid(TOPOLOGY)


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_any_text_is_written_in_any_locale(process: Process, tmp_path: Path, environment: dict[str, str]) -> None:
    script = """
from infra.cli.case.output import Output, open_streams
open_streams()
out = Output(as_json=False)
out.print("Größe ✓ 🔥 結帳")
out.json({"a": "\\ud800"})
"""
    (tmp_path / "script.py").write_text(script, encoding="utf-8")

    shown = process(f"{sys.executable} script.py", **environment)

    assert shown.stdout == 'Größe ✓ 🔥 結帳\n{"a": "\\ud800"}\n'


def test_without_a_stack_it_says_where_one_comes_from(process: Process) -> None:
    shown = process("case-cli cases list")

    assert shown.returncode == 5
    assert shown.stdout == ""
    assert shown.stderr.splitlines() == [
        "Error: No stack here: .casestream/stack.json does not exist.",
        "Start one with `casestream up`, name its folder with --stack DIR (CASESTREAM_STACK), or name an API with --url, --api-key and --application-key.",
    ]


@pytest.mark.parametrize(
    ("shell", "file"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", ".config/fish/completions/case-cli.fish")]
)
def test_completion_installs_for_the_shells(process: Process, tmp_path: Path, shell: str, file: str) -> None:
    # The shell that calls is found by looking; here it is named, as where looking finds none.
    shown = process("case-cli --install-completion " + shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")

    assert shown.returncode == 0, shown.stderr
    assert (tmp_path / file).is_file()
    assert any(p.is_file() and "_CASE_CLI_COMPLETE" in p.read_text() for p in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "arguments", ["nope", "cases nope", "cases get", "cases list --nope", "cases list -n 0", "cases list -n x"]
)
def test_arguments_that_make_no_sense_end_with_2(process: Process, arguments: str) -> None:
    shown = process(f"case-cli {arguments}")

    assert shown.returncode == 2
    assert shown.stdout == ""
    assert "Usage: case-cli" in shown.stderr


def test_the_version_is_the_distributions(process: Process) -> None:
    shown = process("case-cli --version")

    assert (shown.returncode, shown.stdout[:9]) == (0, "case-cli ")


def _commands() -> list[str]:
    from typer.main import get_command

    def walk(command: object, path: str) -> list[str]:
        inner = getattr(command, "commands", None)
        return [path] if inner is None else [p for n, c in inner.items() for p in walk(c, f"{path} {n}".strip())]

    return walk(get_command(app), "")


@pytest.mark.parametrize("command", _commands())
def test_every_command_explains_itself_with_examples(command: str) -> None:
    from typer.testing import CliRunner

    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"})

    assert shown.exit_code == 0
    assert "Examples:" in shown.stdout
    assert f"$ case-cli {command}" in shown.stdout
