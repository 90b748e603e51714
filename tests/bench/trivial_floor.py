"""The floor of the runtime: the counting fold in a bare confluent loop, in a process of its own.

Consume, count in a dict, produce, await the acks: no table, no changelog, no seek, no check. Run as a script: BOOTSTRAP
READS WRITES COUNT; prints the records a second and the CPU seconds they took, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.integration.faust.harness import PARTITIONS

_BATCH = 500


def main(bootstrap: str, reads: str, writes: str, count: int) -> None:
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    reader.assign([TopicPartition(reads, p, 0) for p in range(PARTITIONS)])
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    held: dict[tuple[int, bytes], int] = {}
    done, began, cpu = 0, 0.0, 0.0
    while done < count:
        messages = reader.consume(_BATCH, 1.0)
        if messages and not began:
            began, cpu = time.perf_counter(), time.process_time()
        for message in messages:
            key, partition, offset = message.key(), message.partition(), message.offset()
            assert key is not None
            assert partition is not None
            assert offset is not None
            version = held[partition, key] = held.get((partition, key), 0) + 1
            producer.produce(writes, b"%d %d" % (version, offset), key, partition)
        done += len(messages)
        producer.flush()
    figures = {"per_s": done / (time.perf_counter() - began), "cpu_s": time.process_time() - cpu}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
