"""The frontier and the net: where batches of a partition may begin (H25), before anything else is looked at."""

from __future__ import annotations

import pytest

from topologies.faust.contiguity import Contiguity
from topologies.faust.frontier import Frontier, HoleError


def test_h25_a_gap_of_one_offset_is_a_hole_and_so_is_a_first_batch_elsewhere() -> None:
    frontier = Frontier(10)
    frontier.deliver(10, 12)
    with pytest.raises(HoleError):
        frontier.deliver(13, 14)
    with pytest.raises(HoleError):
        Frontier(10).deliver(11, 12)
    with pytest.raises(HoleError):
        frontier.deliver(11, 13)


def test_the_net_sees_a_batch_that_does_not_begin_where_the_last_one_ended() -> None:
    net = Contiguity()
    frontier = Frontier(5)
    net.check(0, frontier.deliver(5, 8), 5, 3)
    skipped = frontier.deliver(8, 9)
    after = frontier.deliver(9, 12)

    with pytest.raises(HoleError, match="where 8 was expected"):
        net.check(0, after, 9, 3)
    net.check(0, skipped, 8, 1)
    with pytest.raises(HoleError):
        net.check(0, after, 9, 2)


def test_the_net_begins_anew_after_a_seek_and_at_the_offset_that_was_sought() -> None:
    net = Contiguity()
    net.check(0, Frontier(5).deliver(5, 8), 5, 3)
    sought = Frontier(6)
    net.check(0, sought.deliver(6, 8), 6, 2)
    flight = Frontier(100).deliver(100, 101)
    flight.first = 101
    with pytest.raises(HoleError):
        net.check(0, flight, 101, 1)
