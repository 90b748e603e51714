"""An older row that a stopped worker wrote last is written over in a partition that gets no commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Producer

from .harness import Logs, await_, worker

pytestmark = pytest.mark.engines


def last_rows(logs: Logs) -> dict[tuple[int | None, bytes | None], bytes | None]:
    return {(m.partition(), m.key()): m.value() for m in logs.read(logs.changelog)}


def test_what_a_zombie_wrote_last_is_written_over_soon_after_recovery(logs: Logs, tmp_path: Path) -> None:
    logs.fill(2_000, keys=97)
    with worker(logs, tmp_path) as running:
        logs.await_folded()
        assert running.terminate() == 0
    right = last_rows(logs)
    (partition, key), row = next((at, row) for at, row in right.items() if row and int(row.split()[0]) > 1)
    zombie = Producer({"bootstrap.servers": logs.bootstrap})
    zombie.produce(logs.changelog, b"1 0", key, partition=partition or 0)
    assert zombie.flush(30) == 0
    assert last_rows(logs)[partition, key] == b"1 0"
    committed = logs.committed()

    with worker(logs, tmp_path) as running:
        running.await_ready()
        await_(lambda: last_rows(logs)[partition, key] == row, seconds=30, what="the row is written again")
        assert running.terminate() == 0

    assert last_rows(logs) == right
    assert logs.committed() == committed
    logs.check()
