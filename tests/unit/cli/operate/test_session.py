"""How an operator's command is registered, and how it ends where an engine is away."""

from __future__ import annotations

import psycopg
import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.session import engines_away

COMMANDS = [
    ("lag",),
    ("offsets",),
    ("workers", "list"),
    ("workers", "leave"),
    ("dlq", "list"),
    ("dlq", "show"),
    ("dlq", "redrive"),
    ("dlq", "discard"),
    ("verify-view",),
    ("rebuild", "view", "postgres"),
    ("rebuild", "view", "elasticsearch"),
    ("replay",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples_and_names_the_engines(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert f"$ case-cli {' '.join(command)}" in shown.stdout
    assert "CASESTREAM_KAFKA" in shown.stdout
    assert "--json" in shown.stdout


def test_an_engine_that_is_away_is_named_in_one_line() -> None:
    with pytest.raises(Problem) as told, engines_away():
        raise psycopg.OperationalError("connection refused\nIs the server running?")
    assert told.value.message == "Postgres: connection refused"
    assert told.value.exit_code is Exit.UNAVAILABLE


def test_what_is_no_engines_error_is_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), engines_away():
        raise ZeroDivisionError


def test_a_bug_is_not_blamed_on_the_api() -> None:
    with pytest.raises(Problem, match="KeyError: 'nobody'") as told, engines_away():
        raise KeyError("nobody")
    assert told.value.exit_code is Exit.BUG
    assert "CASESTREAM_DEBUG=1" in told.value.hint


def test_groups_are_offered_to_the_shell() -> None:
    from infra.cli.operate.lag import groups

    assert groups("sink.e") == ["sink.elasticsearch.case"]
    assert groups("nobody") == []
