"""Rows as a batch sees them."""

from __future__ import annotations

import pytest

from schemas import codec
from streams.cases.case import Case, Comment
from topologies.batch_rows import ABSENT, AlreadyFolded, BatchRows, Recent, Row, UnreadableRow
from topologies.guard import Guard
from topologies.testing import MemoryRows

COMMENT = Comment(comment_id="c", author="ada")
RAW = codec.encode_row(COMMENT)


def rows(**given: bytes) -> BatchRows:
    memory = MemoryRows()
    memory.rows.update({name.encode(): row for name, row in given.items()})
    made = BatchRows(memory, Recent())
    made.at = (1, 10)
    return made


def test_a_row_is_read_by_name_and_kind() -> None:
    found = rows(c=Guard(1, 9).encode(RAW))
    assert found.get("c", Comment) == COMMENT
    assert found.get("other", Comment) is None
    assert found.row("other") is ABSENT
    with pytest.raises(TypeError, match="is a Comment, not a Case"):
        found.get("c", Case)


@pytest.mark.parametrize("offset", [10, 11])
def test_a_row_of_a_later_record_says_that_this_one_was_folded(offset: int) -> None:
    with pytest.raises(AlreadyFolded):
        rows(c=Guard(1, offset).encode(RAW)).get("c", Comment)


def test_an_older_generation_of_the_topic_says_nothing() -> None:
    assert rows(c=Guard(0, 99).encode(RAW)).get("c", Comment) == COMMENT


def test_what_a_batch_changed_is_what_it_sees() -> None:
    seen = rows(c=Guard(1, 1).encode(RAW))
    new = Comment(comment_id="c", author="bob")
    guard = Guard(1, 9)
    raw = codec.encode_row(new)
    seen.put("c", guard.encode(raw), Row(guard, raw, there=True, state=new, decoded=True))
    assert seen.get("c", Comment) is new
    seen.put("c", None, ABSENT)
    assert seen.get("c", Comment) is None


@pytest.mark.parametrize(
    "row", [b"", b"\x09" + b"\0" * 20, Guard().encode(b"\0\0\0\xff\xff"), Guard().encode(RAW[:-1])]
)
def test_a_row_that_cannot_be_read_is_nobodys_mistake_but_ours(row: bytes) -> None:
    with pytest.raises(UnreadableRow):
        rows(c=row).get("c", Comment)


def test_the_memory_of_rows_is_bounded_and_only_a_memory() -> None:
    recent = Recent(size=2)
    made = [Guard(1, n).encode(RAW) for n in range(5)]
    parts = [recent.of(0, f"row-{n}", row) for n, row in enumerate(made)]
    assert [recent.of(0, f"row-{n}", made[n]) is parts[n] for n in (4, 3, 2, 0)] == [True, True, True, False]
    assert recent.of(0, "row-1", made[1]).state == parts[1].state == COMMENT


def test_a_row_that_is_remembered_counts_only_for_its_own_bytes_in_its_own_partition() -> None:
    recent = Recent()
    old, new = (Guard(1, n).encode(RAW) for n in (1, 2))
    assert recent.of(0, "c", old).guard == Guard(1, 1)
    assert recent.of(0, "c", new).guard == Guard(1, 2)
    assert recent.of(1, "c", old).guard == Guard(1, 1)
    assert recent.of(0, "c", new) is recent.of(0, "c", bytes(bytearray(new)))
