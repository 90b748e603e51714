"""The floor of a recovery: the changelog into a dict by a bare confluent loop. Run as a script: BOOTSTRAP TOPIC; prints JSON."""

from __future__ import annotations

import json
import sys
import time
import uuid

from confluent_kafka import Consumer, TopicPartition

from tests.bench.field import PARTITIONS

_BATCH = 10_000


def main(bootstrap: str, topic: str) -> None:
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    ends = [reader.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in range(PARTITIONS)]
    reader.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    began, cpu = time.perf_counter(), time.process_time()
    rows: dict[bytes, bytes] = {}
    left = sum(ends)
    while left:
        messages = reader.consume(_BATCH, 1.0)
        for message in messages:
            key, value = message.key(), message.value()
            assert key is not None
            assert value is not None
            rows[key] = value
        left -= len(messages)
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "rows": len(rows)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
