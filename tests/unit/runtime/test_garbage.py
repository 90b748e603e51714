"""The collector of a process that holds many records."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from infra.runtime.garbage import collect_seldom


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class Knot:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_a_batch_of_records_does_not_set_it_off() -> None:
    collect_seldom()
    gc.collect()
    passes = gc.get_stats()[0]["collections"]

    held = [(n,) for n in range(20_000)]

    assert len(held) == 20_000
    assert gc.get_stats()[0]["collections"] == passes


def test_what_holds_itself_is_still_found() -> None:
    collect_seldom()
    knot = weakref.ref(Knot())

    assert knot() is not None
    gc.collect()
    assert knot() is None
