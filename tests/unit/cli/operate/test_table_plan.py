"""What a changelog lacks is written; what it has as well as can be known stays."""

from __future__ import annotations

import pytest

from infra.cli.operate.rebuild.table_plan import GROUP_BYTES, compare, pieces
from topologies.guard import Guard, newer
from topologies.step import size_of

KEY = b"t/a"


def row(offset: int, state: bytes = b"state", **given: object) -> bytes:
    return Guard(1, offset, **given).encode(state)  # type: ignore[arg-type]


def test_what_is_not_there_is_new_and_its_rows_go_together() -> None:
    group = ((b"t/a|comment/1", row(3)), (KEY, row(4)))

    plan = compare({}, [group], start=0)

    assert (plan.new, plan.changed, plan.same, plan.gone) == (2, 0, 0, 0)
    assert plan.groups == [group]
    assert plan.removals == []


def test_what_is_there_already_is_not_written_again() -> None:
    plan = compare({KEY: row(4)}, [((KEY, row(4)),)], start=0)

    assert (plan.same, plan.differs) == (1, 0)
    assert plan.groups == []


def test_a_row_whose_last_command_is_gone_stays_with_the_guard_that_it_has() -> None:
    held = row(4, origins={("case.intake", 1, 0): (7, 0)})

    assert compare({KEY: held}, [((KEY, row(9)),)], start=10).same == 1
    assert compare({KEY: held}, [((KEY, row(9, b"other")),)], start=10).changed == 1
    assert compare({KEY: held}, [((KEY, row(9)),)], start=4).changed == 1


@pytest.mark.parametrize(
    "made",
    [
        row(4, origins={("case.intake", 1, 0): (7, 0)}),
        row(4, recent=(bytes(16),)),
        row(5),
        row(4, b"other"),
    ],
)
def test_a_row_that_guards_less_or_says_something_else_is_changed(made: bytes) -> None:
    plan = compare({KEY: row(4)}, [((KEY, made),)], start=0)

    assert plan.changed == 1
    assert plan.groups == [((KEY, made),)]
    assert plan.removals == []


def test_a_row_that_recovery_would_keep_is_removed_first() -> None:
    held, made = row(8), row(4)
    assert not newer(held, made)

    plan = compare({KEY: held}, [((KEY, made),)], start=0)

    assert plan.removals == [((KEY, None),)]
    assert plan.groups == [((KEY, made),)]


def test_a_row_of_no_event_goes_but_an_old_one_that_only_guards_stays() -> None:
    plan = compare({KEY: row(2), b"t/b": row(2, b""), b"t/c": row(12, b"")}, [], start=10)

    assert (plan.gone, plan.kept) == (2, 1)
    assert plan.removals == [((KEY, None),), ((b"t/c", None),)]


def test_more_than_a_record_batch_takes_is_cut_with_the_main_row_last() -> None:
    group = (*((b"t/a|comment/%d" % n, row(n, bytes(1_000))) for n in range(2_000)), (KEY, row(9)))

    found = list(pieces(group))

    assert len(found) == 3
    assert tuple(one for piece in found for one in piece) == group
    assert all(size_of(piece) <= GROUP_BYTES for piece in found)
    assert found[-1][-1][0] == KEY
