"""Kill -9 of every role and engine in turn while signals stream in: nothing that was accepted is lost or doubled."""

from __future__ import annotations

from functools import partial

import psycopg
import pytest

from tests.caught_up import caught_up
from tests.chaos.checker import find, receipts_by_signal
from tests.chaos.storm import Storm
from tests.installed import Platform, await_

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

VICTIMS = (
    "worker",
    "sink.postgres",
    "kafka",
    "worker",
    "sink.elasticsearch",
    "postgres",
    "source.kafka",
    "worker",
    "elasticsearch",
    "api",
    "redis",
)


def _sent(storm: Storm, count: int) -> bool:
    return storm.sent >= count


def test_every_part_is_killed_in_turn_under_a_stream_of_signals(platform: Platform) -> None:
    stack = platform.stack
    tenant = next(t for t in stack["tenants"] if t["kind"] == "oncall")
    storm = Storm(http=stack["http"], kafka=stack["kafka"], routing_key=tenant["routing_key"])
    running = storm.start()
    share = storm.count // (len(VICTIMS) + 1)
    for n, name in enumerate(VICTIMS, start=1):
        await_(partial(_sent, storm, n * share), seconds=300, what=f"signals before {name}")
        platform.await_back(name, platform.kill(name))
    await_(lambda: storm.done(running), seconds=400, what="the stream ends")

    def settled() -> bool:
        with psycopg.connect(platform.stack["postgres"]) as connection:
            row = connection.execute("SELECT count(*) FROM signal_receipt").fetchone()
        return row is not None and row[0] >= len(storm.accepted)

    await_(settled, seconds=120, what="a receipt for every accepted signal", pause=0.5)
    await_(
        lambda: caught_up(platform.stack["kafka"], platform.stack["postgres"]),
        seconds=60,
        what="the views have caught up with the log",
        pause=0.5,
    )

    counts = find(platform.stack).check(storm.accepted)
    assert len(storm.accepted) >= storm.count
    assert counts["I9 signals with their receipt"] == len(storm.accepted)
    first = {signal: receipts[0] for signal, receipts in receipts_by_signal(stack["kafka"]).items()}
    kept = find(platform.stack).receipts
    assert {signal: kept[signal] for signal in storm.accepted} == {signal: first[signal] for signal in storm.accepted}
    print(f"\n{storm.count} signals, {storm.retried} sent again, {len(VICTIMS)} kills")
    for what, count in counts.items():
        print(f"{what}: {count}")
