"""`case-cli workers` on a running stack: who folds what, and one that goes for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from tests.integration.cli.operating import Operate, engines_file, operate, until
from tests.stack import PARTITIONS, Stack
from topologies.graph import TOPOLOGY

__all__ = ["engines_file", "operate"]

pytestmark = pytest.mark.engines

INSTANCE = "tests-worker"
GROUPS = [stage.group for stage in TOPOLOGY.stages]
WHOLE = {group: [INSTANCE] for group in GROUPS}


def folded_by(operate: Operate) -> dict[str, list[str]]:
    """Instances by group, of those that have all partitions."""
    return {
        group["group"]: [w["instance"] for w in group["workers"] if w["partitions"] == list(range(PARTITIONS))]
        for group in operate("workers", "list")["groups"]
        if group["settled"]
    }


def test_every_stage_shows_who_folds_its_partitions(stack: Stack, operate: Operate, engines_file: Path) -> None:
    until(lambda: folded_by(operate) == WHOLE, what="no worker has all partitions")

    shown = CliRunner().invoke(app, ["workers", "list", "--stack", str(engines_file)]).stdout.splitlines()

    assert shown[0].split() == ["GROUP", "WORKER", "HOST", "PARTITIONS"]
    assert [line.split()[:2] for line in shown[1:]] == [[group, INSTANCE] for group in GROUPS]
    assert stack.roles["worker"].readiness() is None


def test_a_worker_that_was_stopped_leaves_and_is_welcome_again(stack: Stack, operate: Operate) -> None:
    worker = stack.roles["worker"]
    worker.process.stop()
    try:
        assert folded_by(operate) == WHOLE, "its place was not kept"

        assert operate("workers", "leave", INSTANCE) == {"instance": INSTANCE, "left": GROUPS}
        assert [group["workers"] for group in operate("workers", "list")["groups"]] == [[]] * len(GROUPS)
        assert operate("workers", "leave", INSTANCE, exits=3)["errors"] == [f"{INSTANCE} is in no group"]
    finally:
        worker.start()
    until(lambda: folded_by(operate) == WHOLE, what="it did not come back", seconds=60)
    until(lambda: worker.readiness() is None, what="it is not ready", seconds=60)


def test_a_worker_that_still_runs_cannot_leave(stack: Stack, operate: Operate) -> None:
    told = operate("workers", "leave", INSTANCE, exits=1)["errors"]

    assert told[0].startswith(f"{INSTANCE} has joined ")
    until(lambda: folded_by(operate) == WHOLE, what="it did not come back", seconds=60)
    until(lambda: stack.roles["worker"].readiness() is None, what="it is not ready", seconds=60)
