"""Workers of one stage come, restart and go, on a real broker: nothing is lost or doubled, and little stands still."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.runtime.membership import leave

from .harness import Logs, await_, worker

pytestmark = pytest.mark.engines

# Longer than any test waits: whatever is over sooner did not wait for it.
LONG_SESSION = 45.0


@pytest.mark.parametrize("static", [False, True], ids=["dynamic", "static"])
def test_h10_h23_one_worker_becomes_three_and_one_again_under_load(logs: Logs, tmp_path: Path, *, static: bool) -> None:
    one, two, three = ("one", "two", "three") if static else (None, None, None)

    def flows(what: str) -> None:
        now = sum(logs.ends(logs.events))
        await_(lambda: sum(logs.ends(logs.events)) > now + 2_000, seconds=30, what=f"events of {what}")

    with worker(logs, tmp_path, instance_id=one, session_timeout_s=LONG_SESSION) as first:
        with logs.load(1_500, keys=997):
            logs.await_workers(1)
            with (
                worker(logs, tmp_path, instance_id=two, session_timeout_s=LONG_SESSION) as second,
                worker(logs, tmp_path, instance_id=three, session_timeout_s=LONG_SESSION) as third,
            ):
                logs.await_workers(3)
                flows("three workers")
                # Both at once: one stops while the other's going is a rebalance.
                second.process.terminate()
                third.process.terminate()
                for going, name in ((second, two), (third, three)):
                    assert going.await_end(25) == 0, going.text()
                    if name is not None:
                        assert leave(logs.bootstrap, [logs.group], name) == [logs.group]
            logs.await_workers(1, seconds=LONG_SESSION / 2)
            flows("one worker again")
        logs.await_folded()
        assert first.process.poll() is None, first.text()

    logs.check()


def generations(text: str) -> list[int]:
    """Every generation that a worker has joined."""
    return [int(found) for found in re.findall(r"Successfully synced group \S+ with generation (\d+)", text)]


@pytest.mark.parametrize("leads", [False, True], ids=["follower", "leader"])
def test_a_worker_that_restarts_with_its_instance_id_costs_the_others_no_rebalance(
    logs: Logs, tmp_path: Path, *, leads: bool
) -> None:
    # The first of a group leads it: it is the one that shares the partitions.
    names = ("other", "restarting") if not leads else ("restarting", "other")
    with ExitStack() as held:
        held.enter_context(logs.load(200, keys=997))
        made = {}
        for name in names:
            made[name] = held.enter_context(worker(logs, tmp_path, instance_id=name, session_timeout_s=LONG_SESSION))
            made[name].await_ready()
        logs.await_workers(2)
        other = made["other"]
        before, shared = generations(other.text()), logs.workers()
        assert made["restarting"].terminate() == 0
        assert logs.workers() == shared, "it said farewell, though it comes back"

        again = held.enter_context(worker(logs, tmp_path, instance_id="restarting", session_timeout_s=LONG_SESSION))
        again.await_ready()

        grown = logs.ends(logs.events)
        await_(
            lambda: all(new > old for new, old in zip(logs.ends(logs.events), grown, strict=True)),
            seconds=30,
            what="events of all partitions",
        )
        assert logs.workers() == shared
        assert generations(other.text()) == before
        assert generations(again.text()) == before[-1:]


def test_a_worker_that_leaves_for_good_hands_its_partitions_over_at_once(logs: Logs, tmp_path: Path) -> None:
    with worker(logs, tmp_path, instance_id="one", session_timeout_s=LONG_SESSION) as first:
        first.await_ready()
        with worker(logs, tmp_path, instance_id="two", session_timeout_s=LONG_SESSION) as second:
            logs.await_workers(2)
            assert second.terminate() == 0
        began = time.monotonic()
        assert leave(logs.bootstrap, [logs.group, f"{logs.group}-nobody"], "two") == [logs.group]
        logs.await_workers(1, seconds=LONG_SESSION / 2)
        assert time.monotonic() - began < LONG_SESSION / 2
        logs.fill(1_000)
        logs.await_folded()
        assert leave(logs.bootstrap, [logs.group], "two") == []

    logs.check()


def recoveries(text: str) -> int:
    """How often a worker had to read a changelog before it could go on."""
    return text.count("Restoring state from changelog topics")


def test_a_standby_takes_over_with_nothing_left_to_read(logs: Logs, tmp_path: Path) -> None:
    logs.fill(5_000)
    with worker(logs, tmp_path, standby_replicas=1) as first:
        first.await_ready()
        with worker(logs, tmp_path, standby_replicas=1) as second:
            logs.await_workers(2)
            logs.fill(15_000)
            logs.await_folded()
            before = recoveries(first.text())
            second.kill()
        # Until the session is over it has six seconds to read what the other one wrote last.
        logs.await_workers(1)
        logs.fill(5_000)
        logs.await_folded()
        assert recoveries(first.text()) == before
        with worker(logs, tmp_path, standby_replicas=1) as third:
            # What was owned here is followed here now, while another one writes it.
            logs.await_workers(2)
            logs.fill(5_000)
            logs.await_folded()
            assert third.terminate() == 0
        logs.await_workers(1)
        logs.fill(5_000)
        logs.await_folded()

    logs.check()
