"""Which tables are made again, and what is said of the others."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.case.problem import Exit
from topologies.graph import TOPOLOGY
from topologies.refoldable import EFFECTS, refused


def test_a_stage_either_can_be_made_again_or_says_why_not() -> None:
    for stage in TOPOLOGY.stages:
        assert (refused(stage) is None) is (stage.name in EFFECTS)


@pytest.mark.parametrize("stage", ["intake", "automation"])
def test_a_stage_whose_table_says_more_than_its_events_is_refused(stage: str) -> None:
    done = CliRunner().invoke(app, ["rebuild", "table", stage, "--kafka", "localhost:1", "--json"])

    told = json.loads(done.stderr)
    assert done.exit_code == Exit.REFUSED
    assert told["errors"][0].startswith(f"the table of {stage} cannot be made again: ")
    assert TOPOLOGY.stage(stage).changelog in told["hint"]


def test_a_stage_that_there_is_not_is_a_mistake() -> None:
    done = CliRunner().invoke(app, ["rebuild", "table", "nobody", "--kafka", "localhost:1", "--json"])

    assert done.exit_code == Exit.USAGE
    assert "cases" in json.loads(done.stderr)["hint"]
