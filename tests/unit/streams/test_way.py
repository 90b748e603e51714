"""The way of an alert's signals through ended cases is bounded, and none of them is lost on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.intake.project_intake import Attachment
from streams.intake.way import PATH_LIMIT, Join, attach, onward


def moved(times: int) -> Attachment:
    """An alert whose cases ended so often, while its signals were still on their way to each."""
    attachment = attach(None, "case-0", 1, None)
    for n in range(1, times + 1):
        attachment = attach(attachment, f"case-{n}", n + 1, None)
    return attachment


@given(st.integers(0, 4 * PATH_LIMIT))
def test_the_way_holds_the_last_cases_in_their_order(times: int) -> None:
    attachment = moved(times)
    expected = tuple(f"case-{n}" for n in range(times))[-PATH_LIMIT:]
    assert (attachment.path, attachment.case_id) == (expected, f"case-{times}")


def test_a_signal_from_a_case_that_is_forgotten_goes_behind_all_that_are_still_on_their_way() -> None:
    attachment = moved(PATH_LIMIT + 1)
    assert "case-0" not in attachment.path
    assert onward(attachment, "case-0") == Join(case_id=attachment.case_id, via="case-1")
    assert onward(attachment, f"case-{PATH_LIMIT}") == Join(case_id=attachment.case_id)
