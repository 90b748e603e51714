"""Several stages in one process: each has its own group, table and partitions, and nothing is lost between them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from topologies.faust.ending import EXIT_BROKEN

from .harness import Logs, await_, worker

pytestmark = pytest.mark.engines


@pytest.fixture
def chained(logs: Logs, kafka_bootstrap: str) -> Logs:
    """A second stage that reads the first one's events."""
    second = Logs(kafka_bootstrap)
    second.commands = logs.events
    second.create(second.events, second.changelog)
    return second


def pair(chained: Logs, **options: Any) -> dict[str, Any]:
    beside = {"group": chained.group, "topic": chained.commands, "table": "counts", "emits": chained.events}
    return {"module": "tests.integration.faust.pair", "beside": beside, **options}


def test_a_record_passes_two_stages_of_one_process_and_both_commit_at_the_stop(
    logs: Logs, chained: Logs, tmp_path: Path
) -> None:
    logs.fill(5_000)
    with worker(logs, tmp_path, **pair(chained)) as running:
        running.await_ready()
        logs.await_folded()
        chained.await_folded()
        assert running.terminate() == 0

    assert logs.check() == 0
    assert chained.check() == 0


def test_kill_nine_of_both_stages_at_once_leaves_no_hole_in_either(logs: Logs, chained: Logs, tmp_path: Path) -> None:
    logs.fill(20_000)
    chance = random.Random(7)
    for _ in range(3):
        with worker(logs, tmp_path, **pair(chained, instance_id="one")) as running:
            running.await_ready()
            enough = sum(chained.ends(chained.events)) + chance.randrange(500, 3_000)
            await_(
                lambda enough=enough: sum(chained.ends(chained.events)) >= enough or chained.folded(),  # type: ignore[misc]
                seconds=30,
                what="some events of the second stage",
            )
            running.kill()
    with worker(logs, tmp_path, **pair(chained, instance_id="one")) as running:
        logs.await_folded()
        chained.await_folded()
        assert running.terminate() == 0

    logs.check()
    chained.check()


def test_a_stage_that_breaks_ends_the_process_and_with_it_the_other(logs: Logs, chained: Logs, tmp_path: Path) -> None:
    with worker(logs, tmp_path, **pair(chained)) as running:
        running.await_ready()
        logs.fill(1, value=b"big")
        assert running.await_end() == EXIT_BROKEN
