"""Positions: adjacent or not at all."""

from __future__ import annotations

import pytest

from sinks.base import Entry, Raw
from sinks.positions import Hole, Positions


def entry(partition: int, offset: int) -> Entry[str]:
    return Entry(Raw("case.events", partition, offset, None, None, 0), "item")


def test_it_expects_the_next_offset_and_no_other() -> None:
    positions = Positions()
    positions.assign({0: 5})

    assert positions.expects(0, 5)
    positions.took(0, 5)
    assert not positions.expects(0, 5)
    assert positions.expects(0, 6)


def test_a_hole_is_an_error_that_names_both_offsets() -> None:
    positions = Positions()
    positions.assign({3: 10})

    with pytest.raises(Hole, match="partition 3: expected offset 10, got 12"):
        positions.expects(3, 12)


def test_partitions_of_others_are_not_expected() -> None:
    positions = Positions()
    positions.assign({0: 0})

    assert not positions.expects(1, 0)
    positions.revoke()
    assert not positions.expects(0, 0)


def test_a_held_partition_takes_nothing_until_partitions_are_assigned_again() -> None:
    positions = Positions()
    positions.assign({0: 4, 1: 4})
    positions.hold(0, "a newer writer")

    assert not positions.expects(0, 4)
    assert positions.expects(1, 4)
    assert positions.held_causes() == ["a newer writer"]
    positions.assign({0: 4})
    assert positions.expects(0, 4)
    assert positions.held == frozenset()


def test_every_assignment_begins_an_epoch() -> None:
    positions = Positions()
    positions.assign({0: 0})
    first = positions.epoch
    positions.revoke()

    assert positions.epoch > first


def test_what_was_applied_is_to_be_committed_once() -> None:
    positions = Positions()
    positions.assign({0: 0, 1: 7})
    positions.applied([entry(0, 0), entry(1, 7), entry(0, 1)])

    assert positions.uncommitted() == {0: 2, 1: 8}
    assert positions.uncommitted() == {}


def test_what_was_applied_before_an_assignment_is_not_committed_after_it() -> None:
    positions = Positions()
    positions.assign({0: 0})
    positions.applied([entry(0, 0)])
    positions.assign({0: 0})

    assert positions.uncommitted() == {}
