"""Where a partition goes on after a rebalance: at the committed offset of this generation, and nowhere by guessing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from faust.types import TP

from tests.unit.faust.test_hazards import EndedError, consumer_of, worker
from topologies.faust import ending
from topologies.faust.fetching import Committed, _read_commit

TP0 = TP("commands", 0)


@pytest.fixture(autouse=True)
def endings(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(cause: str) -> None:
        raise EndedError(cause)

    monkeypatch.setattr(ending, "end", end)


async def starts(
    monkeypatch: pytest.MonkeyPatch, committed: Committed | None, *, earliest: int, generation: int
) -> tuple[Mapping[TP, int], int | None]:
    """Return where to begin, and what counts as committed."""
    held = consumer_of(worker(generation=generation))

    async def stored(*_: Any) -> dict[TP, Committed | None]:
        return {TP0: committed}

    async def begins(*_: Any) -> dict[TP, int]:
        return {TP0: earliest}

    monkeypatch.setattr(held._thread, "committed", stored)
    monkeypatch.setattr(held, "earliest_offsets", begins)
    return await held._starts({TP0}), held._committed_offset.get(TP0)


@pytest.mark.parametrize(
    ("committed", "earliest", "begin", "kept"),
    [
        (None, 0, 0, None),
        (None, 40, 40, None),
        (Committed(7, 2), 0, 7, 7),
        (Committed(7, 2), 7, 7, 7),
        # Offsets of an earlier generation say nothing about this log.
        (Committed(7, 1), 0, 0, None),
        (Committed(7, 1), 40, 40, None),
    ],
)
async def test_it_goes_on_where_this_generation_was_committed_or_at_the_logs_start(
    monkeypatch: pytest.MonkeyPatch, committed: Committed | None, earliest: int, begin: int, kept: int | None
) -> None:
    assert await starts(monkeypatch, committed, earliest=earliest, generation=2) == ({TP0: begin}, kept)


async def test_a_committed_offset_below_the_logs_start_is_an_error_said_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EndedError, match="records were removed before they were folded"):
        await starts(monkeypatch, Committed(7, 0), earliest=8, generation=0)


async def test_a_worker_of_an_older_generation_does_not_touch_a_newer_log(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EndedError, match="folded in generation 3"):
        await starts(monkeypatch, Committed(7, 3), earliest=0, generation=2)


def test_a_commit_carries_its_generation() -> None:
    from aiokafka.structs import OffsetAndMetadata

    assert _read_commit(OffsetAndMetadata(9, "generation=4")) == Committed(9, 4)
    assert _read_commit(OffsetAndMetadata(9, "")) == Committed(9, 1)
    assert _read_commit(OffsetAndMetadata(9, "generation=0")) == Committed(9, 1)
    assert _read_commit(OffsetAndMetadata(-1, "")) is None
    assert _read_commit(None) is None
