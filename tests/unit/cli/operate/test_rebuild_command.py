"""How the rebuild commands end where something is missing or away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.rebuild.command import _away
from infra.runtime.errors import StoreUnavailable
from migrations.beside import CannotCopy
from sinks.base import Fenced

ENGINES = (
    "--kafka",
    "localhost:1",
    "--postgres",
    "postgresql://localhost:1/x",
    "--elasticsearch",
    "http://localhost:1",
)


def call(*arguments: str) -> tuple[int, dict[str, Any]]:
    clean = dict.fromkeys(("CASESTREAM_POSTGRES_OWNER", "CASESTREAM_STACK"), "")
    done = CliRunner().invoke(app, ["rebuild", "view", *arguments, *ENGINES, "--json"], env=clean)
    return done.exit_code, json.loads(done.stderr)


def test_the_owner_is_asked_for() -> None:
    code, told = call("postgres")
    assert code == Exit.USAGE
    assert "--owner" in told["hint"]


@pytest.mark.parametrize("view", ["postgres", "elasticsearch"])
def test_ways_that_do_not_go_together_are_refused(view: str) -> None:
    code, told = call(view, "--rollback", "--discard")
    assert code == Exit.USAGE
    assert told["errors"] == ["--rollback and --discard do not go together"]


@pytest.mark.parametrize("error", [StoreUnavailable("the index does not answer"), Fenced("somebody moved it")])
def test_what_is_away_is_said_with_what_to_do(error: Exception) -> None:
    with pytest.raises(Problem) as told, _away():
        raise error
    assert (told.value.message, told.value.exit_code) == (str(error), Exit.UNAVAILABLE)
    assert "goes on where it was" in told.value.hint


def test_a_table_that_cannot_be_made_again_is_refused() -> None:
    with pytest.raises(Problem, match="has triggers") as told, _away():
        raise CannotCopy("case has triggers")
    assert told.value.exit_code is Exit.REFUSED
