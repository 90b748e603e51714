"""Feeding the projection: again, in other batches, in another order across keys. The views stay the same."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.base import Entry, Raw
from sinks.postgres.project import Placed
from streams.cases.case import Priority, Status
from streams.cases.commands import (
    AddComment,
    ArchiveCase,
    ChangeAttributes,
    ChangeStatus,
    ChangeTitle,
    DeleteComment,
    EditComment,
    UnarchiveCase,
)
from streams.ids import derive
from streams.text import Sealed
from streams.topics import CASE_EVENTS
from tests.fakes.story import Story, entries, everything
from tests.fakes.views import MemoryTables, MemoryViews

CASES = 3

words = st.text(max_size=8)
bodies = st.one_of(
    words.map(lambda w: ChangeTitle(title=Sealed.plain(w))),
    words.map(lambda w: AddComment(message=Sealed.plain(w))),
    st.sampled_from(list(Status)).map(lambda s: ChangeStatus(status=s)),
    st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2).map(
        lambda a: ChangeAttributes(attributes=a)
    ),
    st.sampled_from([ArchiveCase(), UnarchiveCase()]),
)
# A change of one case, or of a comment of it: (case, what, which comment, words).
steps = st.tuples(st.integers(0, CASES - 1), bodies | st.sampled_from(["edit", "delete"]), st.integers(0, 4), words)


def log_of(changes: list[tuple[int, Any, int, str]]) -> list[Raw]:
    story = Story(partitions=2)
    tenant = story.tenant("acme")
    project = story.project(tenant)
    cases = [story.open_case(tenant, project, f"case {n}", priority=Priority.P3) for n in range(CASES)]
    comments: list[list[str]] = [[] for _ in cases]
    for at, what, which, said in changes:
        mine = comments[at]
        match what:
            case AddComment():
                mine.append(derive(story.change(tenant, cases[at], what), "comment"))
            case "edit" if mine:
                edit = EditComment(comment_id=mine[which % len(mine)], message=Sealed.plain(said))
                story.change(tenant, cases[at], edit)
            case "delete" if mine:
                story.change(tenant, cases[at], DeleteComment(comment_id=mine[which % len(mine)]))
            case str():
                pass
            case _:
                story.change(tenant, cases[at], what)
    return story.records(CASE_EVENTS)


def views(order: list[list[Entry[Placed]]]) -> dict[str, Any]:
    tables = MemoryTables()
    for batch in order:
        # A position of its own for each batch: this is about the rows.
        tables.positions.clear()
        sink = MemoryViews(tables)
        sink.assigned(range(4))
        sink.apply(batch)
    return {table: rows for table, rows in tables.rows.items() if rows}


def decoded(log: list[Raw]) -> list[Entry[Placed]]:
    return entries(MemoryViews(MemoryTables()), log)


@settings(deadline=None, max_examples=40)
@given(st.lists(steps, max_size=25), st.data())
def test_batches_repetitions_and_the_order_across_keys_leave_the_views_as_they_are(
    changes: list[tuple[int, Any, int, str]], data: st.DataObject
) -> None:
    log = decoded(log_of(changes))
    expected = views([[entry] for entry in log])

    by_key: dict[bytes | None, list[Entry[Placed]]] = {}
    for entry in log:
        by_key.setdefault(entry.raw.key, []).append(entry)
    left = [list(found) for found in by_key.values()]
    mixed: list[Entry[Placed]] = []
    while left:
        mine = data.draw(st.sampled_from(left))
        mixed.append(mine.pop(0))
        left = [found for found in left if found]
    order: list[list[Entry[Placed]]] = []
    at = 0
    while at < len(mixed):
        size = data.draw(st.integers(1, 12))
        # A crash delivers some of what was applied again, before it goes on.
        back = data.draw(st.integers(0, min(at, 6)))
        order.append(mixed[at - back : at + size])
        at += size

    assert views(order) == expected


@cache
def whole() -> list[Entry[Placed]]:
    return decoded(everything().records(CASE_EVENTS))


@given(st.lists(st.integers(0, 200), max_size=20))
def test_any_old_piece_of_the_log_that_comes_again_changes_nothing(starts: list[int]) -> None:
    log = whole()
    expected = views([log])

    assert views([log, *(log[s : s + 5] for s in starts if s < len(log))]) == expected


def test_one_batch_gives_what_many_give() -> None:
    log = whole()

    assert views([log]) == views([[entry] for entry in log])
