"""How fast the views take the log, and what a row or a document costs: each sink alone over the case events that are there."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from streams.topics import CASE_EVENTS
from tests.bench.bench import Bench
from tests.bench.field import Field, await_ready, pace
from tests.bench.processor import cpu_seconds
from tests.bench.report import Report

TABLES: Final = ("case", "activity", "case_version", "custom_attribute", "timeline_cell")
"""Every table that case events fill."""


def run(bench: Bench) -> None:
    """Measure both sinks from the start of the log."""
    field, report = bench.field, bench.report
    events = field.ends(CASE_EVENTS)
    if not events:
        raise ValueError("there are no case events for the sinks to read: run part fold before it")
    with psycopg.connect(field.prepared.postgres_reader, autocommit=True) as connection:
        rate, cpu = _applied(field, report, connection, "sink.postgres", events)
        count = "+".join(f'(SELECT count(*) FROM "{table}")' for table in TABLES)
        row = connection.execute(f"SELECT {count}".encode()).fetchone()
        assert row is not None
        rows = row[0] / events
        report.add("Postgres sink, case events", rate, "events/s", name="postgres_events_per_s")
        report.add(f"Postgres sink, rows of {', '.join(TABLES)}", rate * rows, "rows/s", name="postgres_rows_per_s")
        report.add("CPU of the Postgres sink's process, a row", cpu / rows * 1e6, "us", name="postgres_cpu_us_per_row")
        rate, cpu = _applied(field, report, connection, "sink.elasticsearch", events)
        report.add("Elasticsearch sink, documents", rate, "documents/s", name="elasticsearch_documents_per_s")
        report.add(
            "CPU of the Elasticsearch sink's process, a document",
            cpu * 1e6,
            "us",
            name="elasticsearch_cpu_us_per_document",
        )


def _applied(
    field: Field, report: Report, connection: psycopg.Connection[Any], sink: str, events: int
) -> tuple[float, float]:
    """Return the events a second that a sink applies, and the CPU seconds of its process an event."""
    report.say(f"{sink} over {events:,} case events")
    with field.role(sink) as role:
        started = 0.0

        def applied() -> int:
            nonlocal started
            row = connection.execute(
                "SELECT coalesce(sum(next_offset), 0) FROM projection_offset WHERE sink = %s", (f"{sink}.case",)
            ).fetchone()
            assert row is not None
            if not row[0] and role.pid is not None:
                # What it takes to start is not a row's.
                started = cpu_seconds(role.pid)
            return int(row[0])

        measured = pace(applied, events, role=role)
        await_ready(role)
        return measured.rate, (cpu_seconds(role.pid) - started) / events
