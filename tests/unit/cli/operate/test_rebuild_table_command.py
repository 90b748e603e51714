"""Which tables are made again, and what is said of the others."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.case.output import Output
from infra.cli.case.problem import Exit
from infra.cli.operate.rebuild.table import TableReport
from infra.cli.operate.rebuild.table_command import _say
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


def test_what_was_written_and_what_cannot_be_known_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    report = TableReport(
        stage="cases", new=3, changed=1, same=7, kept=1, written=True, unread=["x: no record"], cut={0: 9}, again=2
    )

    _say(Output(as_json=False), report, dry_run=False)

    told = capsys.readouterr()
    assert told.out.startswith("Wrote 4 rows: 3 new, 1 changed, 0 gone, 7 the same.")
    said = " ".join(told.err.split())
    assert "1 row without a state" in said
    assert "folded once a worker starts: 2 records" in said
    assert "Of commands older than the topic has them" in said
    assert "unread x: no record" in said
