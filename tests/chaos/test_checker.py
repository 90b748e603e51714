"""The checker sees what it is there for: each kind of loss and doubling, in a story that is told here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos import checker
from tests.chaos.accepted import Accepted, Answered
from tests.chaos.story import Story
from tests.chaos.views import Postgres, Snapshot

CASE = ("tenant", "case")
SOUND = Postgres(
    cases={CASE: (2, "h2")},
    versions={CASE: [1, 2]},
    numbers={("tenant", "OPS"): [1]},
    outcomes={"command": "accepted"},
    receipts={"signal": "folded"},
    comments={"hello": 1},
)


@pytest.fixture
def accepted() -> Accepted:
    told = Accepted()
    told.signal("signal", "tenant")
    answered = Answered(tenant_id="tenant", kind="comment", verdict="accepted", asks=1)
    told.command("command", answered, comment="hello")
    return told


@pytest.fixture
def story() -> Story:
    told = Story(states={CASE: (2, "h2")}, at=[(0, 0, CASE, 1), (0, 1, CASE, 2)])
    told.versions[CASE] = [1, 2]
    told.outcomes["command"] = {"record": "accepted"}
    told.receipts["signal"] = ["folded", "folded"]
    return told


def test_nothing_is_wrong_with_what_is_sound(story: Story, accepted: Accepted) -> None:
    shot = Snapshot(view="Postgres", positions={0: 2}, versions={CASE: 2})
    verdicts = [
        checker.outcomes(story, SOUND, accepted),
        checker.versions(story, SOUND),
        checker.positions(story, [shot]),
        checker.receipts(story, SOUND, accepted),
    ]

    assert [verdict.wrong for verdict in verdicts] == [[], [], [], []]
    assert all(verdict.checked for verdict in verdicts)


def test_a_command_without_an_outcome_with_two_or_with_another_than_was_answered(
    story: Story, accepted: Accepted
) -> None:
    story.outcomes["command"] = {"record": "accepted", "other": "accepted"}
    assert "has 2 outcomes" in checker.outcomes(story, SOUND, accepted).wrong[0]
    story.outcomes["command"] = {"record": "rejected"}
    refused = replace(SOUND, outcomes={"command": "rejected"})
    assert "rejected is kept" in checker.outcomes(story, refused, accepted).wrong[0]
    story.outcomes.clear()
    assert "has 0 outcomes" in checker.outcomes(story, SOUND, accepted).wrong[0]


@pytest.mark.parametrize("times", [0, 2])
def test_a_comment_that_is_lost_or_stands_there_twice(story: Story, accepted: Accepted, times: int) -> None:
    rows = replace(SOUND, comments={"hello": times})

    assert checker.outcomes(story, rows, accepted).wrong == [f"comment 'hello' stands there {times} times"]


@pytest.mark.parametrize("versions", [[1, 3], [1, 2, 2], [2]])
def test_versions_with_a_gap_or_a_repeat(story: Story, versions: list[int]) -> None:
    assert checker.versions(story, replace(SOUND, versions={CASE: versions})).wrong
    story.versions[CASE] = versions
    assert checker.versions(story, SOUND).wrong


def test_numbers_of_a_project_with_a_gap(story: Story) -> None:
    assert checker.versions(story, replace(SOUND, numbers={("tenant", "OPS"): [1, 3]})).wrong


def test_a_view_that_says_it_shows_what_it_does_not(story: Story) -> None:
    ahead = Snapshot(view="Elasticsearch", positions={0: 2}, versions={CASE: 1})
    behind = Snapshot(view="Elasticsearch", positions={0: 1}, versions={CASE: 1})

    assert checker.positions(story, [ahead]).wrong == [
        "Elasticsearch had passed version 2 of ('tenant', 'case') and showed 1"
    ]
    assert checker.positions(story, [behind]).wrong == []


@pytest.mark.parametrize(("said", "kept"), [([], None), (["folded", "dropped"], "folded"), (["dropped"], "folded")])
def test_a_signal_without_a_receipt_or_with_two(
    story: Story, accepted: Accepted, said: list[str], kept: str | None
) -> None:
    story.receipts["signal"] = said
    rows = replace(SOUND, receipts={} if kept is None else {"signal": kept})

    assert len(checker.receipts(story, rows, accepted).wrong) == 1
