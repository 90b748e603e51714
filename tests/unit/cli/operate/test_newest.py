"""What a rebuild holds its new view to: newest versions and hashes, and records that no view may take."""

from __future__ import annotations

import pytest

from infra.cli.case.problem import Problem
from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.truth import Truth
from sinks.base import Raw
from sinks.postgres.project import Placed, project
from streams.topics import ALERT_EVENTS, CASE_EVENTS, CONFIG_EVENTS
from tests.fakes.story import EVENTS, everything

PARTITIONS = 3
STORY = everything(partitions=PARTITIONS)


def read(records: list[Raw], base: Newest | None = None) -> Newest:
    newest = Newest(base={} if base is None else base.cases)
    for raw in records:
        newest.read(raw)
    return newest


def by_partition(topic: str) -> list[list[Raw]]:
    records = STORY.records(topic)
    return [[raw for raw in records if raw.partition == p] for p in range(PARTITIONS)]


def test_cases_are_what_their_events_fold_to() -> None:
    """`after` of the newest event has the hash that the fold of all events has."""
    truth = Truth()
    for raw in STORY.records(CASE_EVENTS):
        truth.add(raw.key, raw.value, "here")
    newest = read(STORY.records(CASE_EVENTS))
    assert newest.cases == truth.states()
    assert (newest.faults, newest.unread, newest.refused) == ([], [], set())
    places = {(raw.partition, raw.offset) for raw in STORY.records(CASE_EVENTS)}
    assert set(newest.at) == set(newest.cases)
    assert set(newest.at.values()) <= places


def test_every_row_that_the_projection_makes_is_counted() -> None:
    newest = Newest()
    for topic in EVENTS:
        for records in by_partition(topic):
            newest.join(read(records))
    placed = [
        Placed(decoded, topic, 1, raw.partition, raw.offset)
        for topic in EVENTS
        for raw, decoded in zip(STORY.records(topic), STORY.driver.decoded(topic), strict=True)
    ]
    made = project(placed, outcomes_since=0)
    tables = made.tables()
    assert newest.events == len(tables["activity"]) == len(tables["case_version"])
    assert newest.cells == len(tables["timeline_cell"])
    assert len(newest.receipts) == len(tables["signal_receipt"])
    assert {table: len(rows) for table, rows in newest.rows.items()} == {
        table: len(tables[table])
        for table in ("tenant", "credential", "routing_key", "project", "automation_rule", "alert")
    }


@pytest.mark.parametrize("at", [0, 1, 7, 30])
def test_going_on_later_comes_to_the_same(at: int) -> None:
    for topic in (CASE_EVENTS, ALERT_EVENTS, CONFIG_EVENTS):
        for records in by_partition(topic):
            whole, parts = read(records), read(records[:at])
            parts.join(read(records[at:], base=parts))
            assert (parts.cases, parts.at, parts.rows, parts.events, parts.cells, parts.faults) == (
                *(whole.cases, whole.at, whole.rows, whole.events, whole.cells),
                [],
            )


def test_a_repeated_event_changes_nothing_and_a_missing_one_is_a_fault() -> None:
    records = max(by_partition(CASE_EVENTS), key=len)
    whole = read(records)
    assert read(records + records[:10]).cases == whole.cases
    assert read(records[3:]).faults != []


def test_what_no_view_may_take_is_counted_and_passed_over() -> None:
    records = STORY.records(CASE_EVENTS)
    broken = records[0]._replace(value=b"not avro")
    foreign = records[0]._replace(key=b"another/key")
    newest = read([broken, foreign])
    assert (len(newest.unread), newest.records, newest.cases) == (2, 2, {})
    assert newest.unread[0].startswith(f"{CASE_EVENTS}/{broken.partition}:{broken.offset}: ")


def test_a_newer_writer_takes_an_upgrade() -> None:
    raw = STORY.records(CASE_EVENTS)[0]
    assert raw.value is not None
    newer = raw._replace(value=b"\x00" + (999_999).to_bytes(4, "big") + raw.value[5:])
    with pytest.raises(Problem, match="of a newer writer") as told:
        Newest().read(newer)
    assert told.value.hint == "Upgrade this program first."
