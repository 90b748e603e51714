"""What was written is shown after a refresh, seldom enough, and in the end whatever happens on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import pytest

from infra.runtime.errors import StoreUnavailable
from sinks.elasticsearch.visibility import Visibility


class Board:
    """Refreshes of an index, and the positions that were shown, in order."""

    def __init__(self) -> None:
        self.told: list[str | dict[int, int]] = []
        self.refreshed_at: list[float] = []
        self.away = 0
        self.closed = False
        self._changed = threading.Condition()

    def refresh(self) -> None:
        with self._changed:
            self.refreshed_at.append(time.monotonic())
            if self.away:
                self.away -= 1
                raise StoreUnavailable("gone")
            self.told.append("refreshed")

    def show(self, nexts: Mapping[int, int]) -> None:
        with self._changed:
            self.told.append(dict(nexts))
            self._changed.notify_all()

    def close(self) -> None:
        self.closed = True

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, 5), self.told


def test_positions_are_shown_after_the_refresh_that_follows_them() -> None:
    board = Board()
    visibility = Visibility(board.refresh, board, group="g", every=0.01)

    visibility.written({0: 5, 1: 2})
    board.wait(lambda: {0: 5, 1: 2} in board.told)
    visibility.close()

    assert board.told == ["refreshed", {0: 5, 1: 2}]
    assert board.closed


def test_an_index_that_is_slow_to_refresh_is_left_a_while_to_write() -> None:
    board = Board()
    ended: list[float] = []

    def refresh() -> None:
        board.refresh()
        time.sleep(0.2)
        ended.append(time.monotonic())

    visibility = Visibility(refresh, board, group="g", every=0.1)
    visibility.written({0: 1})
    board.wait(lambda: {0: 1} in board.told)
    visibility.written({0: 2})
    board.wait(lambda: {0: 2} in board.told)
    visibility.close()

    assert board.refreshed_at[1] - ended[0] >= 0.09


def test_there_is_no_refresh_while_nothing_was_written() -> None:
    board = Board()
    visibility = Visibility(board.refresh, board, group="g", every=0.001)

    visibility.written({0: 1})
    board.wait(lambda: {0: 1} in board.told)
    visibility.written({0: 2})
    board.wait(lambda: {0: 2} in board.told)
    visibility.close()

    assert len(board.refreshed_at) == 2


def test_refreshes_keep_their_distance_and_show_all_that_came_meanwhile() -> None:
    board = Board()
    visibility = Visibility(board.refresh, board, group="g", every=0.2)

    visibility.written({0: 1})
    board.wait(lambda: {0: 1} in board.told)
    for offset in range(2, 50):
        visibility.written({0: offset, 1: offset})
    board.wait(lambda: {0: 49, 1: 49} in board.told)
    visibility.close()

    assert len(board.refreshed_at) == 2
    assert board.refreshed_at[1] - board.refreshed_at[0] >= 0.2


def test_a_store_that_is_away_delays_and_loses_nothing() -> None:
    board = Board()
    board.away = 3
    visibility = Visibility(board.refresh, board, group="g", every=0.01)

    visibility.written({0: 7})
    board.wait(lambda: {0: 7} in board.told)
    visibility.close()

    assert len(board.refreshed_at) == 4
    assert visibility.trouble is None


def test_its_trouble_can_be_asked_for() -> None:
    board = Board()
    board.away = 1_000_000
    visibility = Visibility(board.refresh, board, group="g", every=0.01)

    visibility.written({0: 7})
    deadline = time.monotonic() + 5
    while visibility.trouble is None and time.monotonic() < deadline:
        time.sleep(0.005)
    trouble = visibility.trouble
    visibility.close()

    assert trouble == "waiting: gone"


def test_closing_shows_what_is_left_at_once() -> None:
    board = Board()
    visibility = Visibility(board.refresh, board, group="g", every=60)
    visibility.written({0: 1})
    board.wait(lambda: {0: 1} in board.told)
    visibility.written({0: 2})

    began = time.monotonic()
    visibility.close()

    assert board.told[-1] == {0: 2}
    assert time.monotonic() - began < 5


def test_a_bug_is_raised_where_the_sink_sees_it() -> None:
    class Broken(Board):
        def show(self, nexts: Mapping[int, int]) -> None:
            raise KeyError("bug")

    board = Broken()
    visibility = Visibility(board.refresh, board, group="g", every=0.01)
    visibility.written({0: 1})
    deadline = time.monotonic() + 5
    while visibility.trouble is None and time.monotonic() < deadline:
        time.sleep(0.005)

    with pytest.raises(RuntimeError, match="refreshing thread"):
        visibility.check()
    visibility.close()
