"""How fast the views take the log: each sink alone over the case events that are there."""

from __future__ import annotations

import psycopg

from streams.topics import CASE_EVENTS
from tests.bench.bench import Bench
from tests.bench.field import pace

TARGETS = {"sink.postgres": 10_000, "sink.elasticsearch": 3_000}
_ROWS = """
SELECT (SELECT count(*) FROM "case") + (SELECT count(*) FROM activity) + (SELECT count(*) FROM custom_attribute)
"""


def run(bench: Bench) -> None:
    """Measure both sinks from the start of the log."""
    field, report = bench.field, bench.report
    events = field.ends(CASE_EVENTS)
    with psycopg.connect(field.prepared.postgres_reader, autocommit=True) as connection:

        def applied(sink: str) -> int:
            row = connection.execute(
                "SELECT coalesce(sum(next_offset), 0) FROM projection_offset WHERE sink = %s", (sink,)
            ).fetchone()
            assert row is not None
            return int(row[0])

        report.say(f"sink.postgres over {events:,} case events")
        with field.role("sink.postgres") as role:
            measured = pace(lambda: applied("sink.postgres.case"), events, role=role)
        row = connection.execute(_ROWS).fetchone()
        assert row is not None
        rows = row[0] / events * measured.rate
        report.add("Postgres sink, case events", measured.rate, "events/s", name="postgres_events_per_s")
        report.add(
            "Postgres sink, rows of case, activity and custom_attribute",
            rows,
            "rows/s",
            beside=("of the target of 10,000", rows / TARGETS["sink.postgres"]),
            name="postgres_rows_per_s",
        )
        report.say(f"sink.elasticsearch over {events:,} case events")
        with field.role("sink.elasticsearch") as role:
            measured = pace(lambda: applied("sink.elasticsearch.case"), events, role=role)
        report.add(
            "Elasticsearch sink, documents",
            measured.rate,
            "documents/s",
            beside=("of the target of 3,000", measured.rate / TARGETS["sink.elasticsearch"]),
            name="elasticsearch_documents_per_s",
        )
