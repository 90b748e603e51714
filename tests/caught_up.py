"""Whether every view has read all of its log, and shows it: what tests wait for before they compare."""

from __future__ import annotations

import uuid
from typing import Final

import psycopg
from confluent_kafka import Consumer, TopicPartition

from streams.topics import ALERT_EVENTS, CASE_EVENTS, CONFIG_EVENTS

FEEDS: Final = (
    ("sink.postgres.case", CASE_EVENTS),
    ("sink.postgres.alert", ALERT_EVENTS),
    ("sink.postgres.config", CONFIG_EVENTS),
    ("sink.elasticsearch.case", CASE_EVENTS),
)


def caught_up(kafka: str, postgres: str) -> bool:
    """Look once. postgres: the DSN of a role that reads positions."""
    reader = Consumer({"bootstrap.servers": kafka, "group.id": uuid.uuid4().hex})
    try:
        known = reader.list_topics(timeout=15).topics
        ends = {
            (topic, partition): reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)[1]
            for topic in {topic for _, topic in FEEDS}
            for partition in known[topic].partitions
        }
    finally:
        reader.close()
    with psycopg.connect(postgres) as connection:
        rows = connection.execute(
            "SELECT sink, topic, partition, least(next_offset, coalesce(visible_next_offset, next_offset)) "
            "FROM projection_offset"
        ).fetchall()
    shown = {(sink, topic, partition): offset for sink, topic, partition, offset in rows}
    return all(
        shown.get((sink, topic, partition), 0) >= end
        for sink, topic in FEEDS
        for (of, partition), end in ends.items()
        if of == topic
    )
