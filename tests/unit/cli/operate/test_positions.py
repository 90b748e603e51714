"""Where groups stand: what counts for a view, a stage and a source, and what takes a person."""

from __future__ import annotations

import pytest

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.lag import chosen
from infra.cli.operate.log import Bounds, Place
from infra.cli.operate.positions import SOURCE, STAGE, VIEW, Reader, Standing, Stored, readers, standings
from topologies.graph import TOPOLOGY

STAGE_READER = Reader("worker.stage.x", "x.commands", STAGE)
VIEW_READER = Reader("sink.x", "x.events", VIEW)


def standing(
    reader: Reader, *, start: int = 0, end: int = 10, stored: Stored | None = None, committed: int | None = None
) -> Standing:
    return Standing(reader=reader, partition=0, bounds=Bounds(start, end), stored=stored, committed=committed)


def test_every_group_of_the_topology_is_a_reader_of_its_topic() -> None:
    assert {reader.group for reader in readers()} == set(TOPOLOGY.groups())
    kinds = {reader.group: reader.kind for reader in readers()}
    assert kinds["worker.stage.cases"] == STAGE
    assert kinds["source.kafka.signals"] == SOURCE
    assert kinds["sink.postgres.case"] == VIEW


def test_a_stage_is_where_it_committed_and_a_view_where_its_store_says() -> None:
    assert standing(STAGE_READER, committed=7, stored=Stored(1, 3, None)).lag == 3
    assert standing(VIEW_READER, committed=7, stored=Stored(1, 3, None)).lag == 7


def test_who_never_began_has_everything_that_is_still_there_to_take() -> None:
    assert standing(STAGE_READER, start=4).position is None
    assert standing(STAGE_READER, start=4).lag == 6


def test_a_position_of_another_generation_does_not_count() -> None:
    at = standing(VIEW_READER, stored=Stored(2, 9, 9))
    assert (at.position, at.lag) == (None, 10)
    assert at.trouble == "of generation 2, not 1"


@pytest.mark.parametrize(
    ("start", "committed", "trouble"),
    [
        (0, 10, ""),
        (5, 5, ""),
        (5, 3, "before the log's start: 2 records are lost"),
        (0, 11, "past the log's end: was the topic made anew?"),
    ],
)
def test_a_position_outside_the_log_takes_a_person(start: int, committed: int, trouble: str) -> None:
    at = standing(STAGE_READER, start=start, committed=committed)
    assert at.trouble == trouble
    assert at.lag == max(10 - max(committed, start), 0)


def test_standings_come_by_group_and_partition_and_leave_out_topics_of_others() -> None:
    bounds = {
        Place("x.events", 1): Bounds(0, 5),
        Place("x.events", 0): Bounds(0, 3),
        Place("y.events", 0): Bounds(0, 9),
    }
    stored = {("sink.x", Place("x.events", 1)): Stored(1, 4, 2)}
    found = standings([VIEW_READER], bounds, {}, stored)
    assert [(at.partition, at.lag) for at in found] == [(0, 3), (1, 1)]


def test_a_group_that_is_not_there_is_named() -> None:
    with pytest.raises(Problem, match=r"there is no group sink\.nobody") as told:
        chosen(["sink.nobody", "sink.postgres.case"])
    assert told.value.exit_code is Exit.NOT_FOUND
    assert [reader.group for reader in chosen(["sink.postgres.case"])] == ["sink.postgres.case"]
