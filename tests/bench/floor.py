"""The CPython floor of a fold, in a process of its own: consume, decode, fold into a dict, encode, produce, await the acks.

It has neither a table nor a changelog nor any rule: what a fold costs beyond it is what the platform adds. Run as a
script: BOOTSTRAP COUNT; prints the records a second.
"""

from __future__ import annotations

import io
import sys
import time
import uuid
from typing import Any

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition

from infra.runtime.kafka import PRODUCER
from schemas import registry
from streams.topics import ALERT_COMMANDS

TOPIC = "bench.floor"
PARTITIONS = 4


def main(bootstrap: str, count: int) -> None:
    command = fastavro.parse_schema(registry.plain_schema("alerts/record_signal", _newest("alerts/record_signal")))
    event = fastavro.parse_schema(registry.plain_schema("alerts/record_signal", _newest("alerts/record_signal")))
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    reader.assign([TopicPartition(ALERT_COMMANDS, p, 0) for p in range(PARTITIONS)])
    producer = Producer(
        {**PRODUCER, "bootstrap.servers": bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
    )
    state: dict[bytes, dict[str, Any]] = {}
    done, began = 0, 0.0
    while done < count:
        messages = reader.consume(500, 1.0)
        if messages and not began:
            began = time.perf_counter()
        for message in messages:
            value, key = message.value(), message.key()
            assert value is not None
            assert key is not None
            datum: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), command, None)
            held = state.get(key, {"version": 0})
            state[key] = {"version": held["version"] + 1, "summary": datum["summary"], "priority": datum["priority"]}
            datum["envelope"]["version"] = state[key]["version"]
            out = io.BytesIO()
            out.write(value[:5])
            fastavro.schemaless_writer(out, event, datum)
            producer.produce(TOPIC, out.getvalue(), key)
            done += 1
        producer.flush()
    print(done / (time.perf_counter() - began))


def _newest(name: str) -> int:
    return registry.versions(name)[-1][0]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
