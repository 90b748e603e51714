"""Every role and every engine is killed, stopped or kept away in turn while signals and commands stream in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from tests.chaos.chaos import Chaos
from tests.chaos.faults import few
from tests.chaos.table import show
from tests.installed import Platform, installed

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

COMMANDS = 1_500
RATE = 20.0
HOLD_SECONDS = 16.0
"""A little more than a worker's session."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Platform]:
    """A platform of its own, whose Kafka has three nodes."""
    with installed("--kafka-nodes", "3") as platform:
        yield platform


def test_nothing_that_was_accepted_is_lost_or_doubled_whatever_is_killed_stopped_or_away(cluster: Platform) -> None:
    run = Chaos(cluster, count=COMMANDS, rate=RATE, hold=HOLD_SECONDS, say=print)

    report = run.run(few(run.victims))

    show(report, Console(width=140))
    assert report.wrong == []
    assert all(verdict.checked for verdict in report.verdicts)
    assert sum(report.accepted[what] for what in ("signals", "commands")) >= COMMANDS
    # What nothing can decode, and nothing else, is set aside.
    assert report.dead_letters["source.kafka.signals.dlq"] >= report.accepted["garbage"] > 0
    assert set(report.dead_letters) == {"source.kafka.signals.dlq"}
