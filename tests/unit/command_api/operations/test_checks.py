"""The published limits: what is over them is refused with the limit's name, and what is kept is clean."""

from __future__ import annotations

import pytest

from command_api.operations.checks import Checks
from infra.runtime.problems import Problem
from streams.text import TAGS_BYTES


def refused(checks: Checks) -> Problem:
    with pytest.raises(Problem) as problem:
        checks.done()
    return problem.value


def test_a_title_has_at_most_160_characters() -> None:
    checks = Checks()
    assert checks.line("case", "title", "é" * 160, 160).text == "é" * 160
    checks.done()

    checks.line("case", "title", "é" * 161, 160)
    problem = refused(checks)

    assert problem.status == 422
    (fault,) = problem.faults
    assert (fault.code, fault.field) == ("case.title_too_long", "title")
    assert fault.detail == "over the limit `title` of 160 characters"


def test_a_limit_counts_what_is_kept() -> None:
    checks = Checks()
    kept = checks.line("case", "title", " \x00\x07" + "a" * 160 + "\u202e\r\n", 160)
    checks.done()

    assert kept.text == "a" * 160


@pytest.mark.parametrize("text", ["", "  ", "\x00\x01", "\u200b\u202e"])
def test_a_title_of_nothing_is_400(text: str) -> None:
    checks = Checks()
    checks.line("case", "title", text, 160)
    problem = refused(checks)

    assert problem.status == 400
    assert [(f.code, f.field) for f in problem.faults] == [("case.title_missing", "title")]


def test_a_description_may_be_empty_and_keeps_its_lines_and_emoji() -> None:
    checks = Checks()
    assert checks.lines("case", "description", "", 30_000, needed=False).text == ""
    assert checks.lines("case", "description", "a\r\n👩‍🚒\tb", 30_000, needed=False).text == "a\n👩‍🚒\tb"
    checks.done()


def test_all_that_is_wrong_is_told_at_once_and_what_is_missing_decides_the_status() -> None:
    checks = Checks()
    checks.line("case", "title", "", 160)
    checks.lines("case", "description", "x" * 30_001, 30_000, needed=False)
    problem = refused(checks)

    assert problem.status == 400
    assert {f.field for f in problem.faults} == {"title", "description"}


def test_attributes_hold_200_values_in_all() -> None:
    checks = Checks()
    checks.tags("attributes", {"a": ["x"] * 100, "b": ["y"] * 100})
    checks.done()

    checks.tags("attributes", {"a": ["x"] * 100, "b": ["y"] * 101})
    problem = refused(checks)

    assert problem.status == 422
    assert problem.faults[0].detail == "over the limit `tags` of 200 values in all"


def test_an_attribute_that_is_too_long_is_named() -> None:
    checks = Checks()
    checks.tags("attributes", {"team": ["x" * 201], "n" * 201: ["x"]})
    problem = refused(checks)

    assert problem.status == 422
    assert [f.field for f in problem.faults] == ["attributes.team", f"attributes.{'n' * 200}"]
    assert {f.code for f in problem.faults} == {"case.tag_too_long"}


def test_attributes_together_stay_far_below_what_a_record_may_hold() -> None:
    checks = Checks()
    checks.tags("attributes", {f"{n}": ["🔥" * 200] for n in range(TAGS_BYTES // 800 + 1)})

    assert [f.code for f in refused(checks).faults] == ["case.tags_too_large"]


def test_attributes_are_kept_clean_and_names_without_values_are_none() -> None:
    checks = Checks()
    kept = checks.tags("attributes", {" team\x00": [" db\n", "", "web"], "region": [], "zone": [""]})
    checks.done()

    assert kept == {"team": ("db", "web")}


def test_an_attribute_without_a_name_is_400() -> None:
    checks = Checks()
    checks.tags("attributes", {" \x00": ["x"]})

    assert refused(checks).status == 400
