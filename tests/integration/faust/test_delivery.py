"""A real worker on a real broker: nothing is lost, whatever happens to the process."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from topologies.faust.ending import EXIT_BROKEN

from .harness import Logs, await_, worker

pytestmark = pytest.mark.engines

PURE_PYTHON = pytest.mark.parametrize("no_cython", ["", "1"], ids=["cython", "pure"])


def environment(no_cython: str) -> dict[str, str]:
    # Faust reads the variable's truth as a string: an empty one leaves its C extensions on (H15).
    return {"NO_CYTHON": no_cython}


@PURE_PYTHON
def test_h24_a_group_with_nothing_committed_begins_at_the_logs_start(
    logs: Logs, tmp_path: Path, no_cython: str
) -> None:
    logs.fill(5_000)
    with worker(logs, tmp_path, environment=environment(no_cython)) as running:
        logs.await_folded()
        assert running.terminate() == 0

    assert logs.check() == 0


def test_a_log_whose_start_is_gone_begins_where_it_starts(logs: Logs, tmp_path: Path) -> None:
    logs.fill(2_000, keys=1_999)
    tps = [TopicPartition(logs.commands, p, 100) for p in range(4)]
    for done in logs.admin.delete_records(tps).values():
        done.result(30)
    with worker(logs, tmp_path):
        logs.await_folded()

    assert logs.check() == 0


def reached(logs: Logs, events: int) -> bool:
    return sum(logs.ends(logs.events)) >= events or logs.folded()


@PURE_PYTHON
def test_kill_nine_at_random_moments_leaves_no_hole(logs: Logs, tmp_path: Path, no_cython: str) -> None:
    logs.fill(50_000)
    chance = random.Random(no_cython)
    for _ in range(5):
        # A static member, so that the group does not wait for the one that was killed.
        with worker(logs, tmp_path, environment=environment(no_cython), instance_id="one") as running:
            running.await_ready()
            reach = sum(logs.ends(logs.events)) + chance.randrange(200, 9_000)
            await_(partial(reached, logs, reach), seconds=60, what="events")
            running.kill()
    with worker(logs, tmp_path, environment=environment(no_cython), instance_id="one") as running:
        logs.fill(1_000)
        logs.await_folded()
        assert running.terminate() == 0

    logs.check()


@PURE_PYTHON
def test_h10_h23_workers_come_and_go_under_load(logs: Logs, tmp_path: Path, no_cython: str) -> None:
    logs.fill(30_000)
    with worker(logs, tmp_path, environment=environment(no_cython)) as first:
        first.await_ready()
        with worker(logs, tmp_path, environment=environment(no_cython)) as second:
            logs.fill(20_000)
            second.await_ready()
            logs.fill(20_000)
            assert second.terminate() == 0
        logs.fill(10_000)
        with worker(logs, tmp_path, environment=environment(no_cython)) as third:
            third.await_ready()
            logs.fill(10_000)
            third.kill()
        logs.fill(10_000)
        logs.await_folded()
        assert first.process.poll() is None, first.text()

    logs.check()


def test_a_send_that_fails_ends_the_process_before_anything_of_its_batch_is_committed(
    logs: Logs, tmp_path: Path
) -> None:
    logs.fill(2_000)
    with worker(logs, tmp_path):
        logs.await_folded()
    before = logs.committed()
    rows = logs.ends(logs.changelog)
    logs.fill(1, value=b"big")
    with worker(logs, tmp_path) as running:
        assert running.await_end() == EXIT_BROKEN
        assert "SendError" in running.text()

    assert logs.committed() == before
    assert logs.ends(logs.changelog) == rows


def test_sigterm_commits_what_is_done_and_ends_cleanly(logs: Logs, tmp_path: Path) -> None:
    logs.fill(20_000)
    with worker(logs, tmp_path) as running:
        running.await_ready()
        await_(lambda: sum(logs.ends(logs.events)) > 2_000, seconds=30, what="events")
        assert running.terminate() == 0
    events = sum(logs.ends(logs.events))
    assert sum(max(0, offset) for offset in logs.committed()) == events
    with worker(logs, tmp_path):
        logs.await_folded()

    assert logs.check() == 0
