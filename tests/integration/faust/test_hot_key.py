"""One key with very many commands beside a thousand others: the rest keeps flowing, and what is written grows with the log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Producer

from .harness import Logs, worker

pytestmark = pytest.mark.engines

HOT, OTHERS = 100_000, 1_000
BATCH = 500


def test_one_hot_key_holds_up_no_other_partition_and_is_one_row_a_batch(logs: Logs, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": logs.bootstrap, "partitioner": "murmur2_random", "linger.ms": 10})
    for n in range(HOT):
        producer.produce(logs.commands, key=b"hot", value=b"x" * 100)
        if n % 10_000 == 0:
            producer.flush(60)
    # All of these come later than all of the hot ones.
    assert producer.flush(60) == 0
    logs.fill(OTHERS, keys=OTHERS)
    hot_partition = next(p for p, end in enumerate(logs.ends(logs.commands)) if end >= HOT)

    with worker(logs, tmp_path, batch_size=BATCH):
        logs.await_folded(120)

    events = logs.read(logs.events)
    hot = sorted(e.timestamp()[1] for e in events if e.key() == b"hot")
    others = [e.timestamp()[1] for e in events if e.partition() != hot_partition]
    assert len(hot) == HOT
    assert len(others) > OTHERS / 2
    # Folded in turns with the hot one, the others were done long before it.
    assert max(others) < hot[HOT // 2]
    rows = Counter(row.key() for row in logs.read(logs.changelog))
    assert rows[b"hot"] <= 2 * HOT / BATCH
    logs.check()
