"""`case-cli cases`: what is asked of the API, and what a person and a script see of its answer."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tests.unit.cli.case.documents import ALERT_ID, CASE_ID, USER_ID, case, comment, entry, page
from tests.unit.cli.case.fake_api import NOW, Api, Run


def test_list_asks_for_the_newest_and_shows_one_line_a_case(api: Api, run: Run) -> None:
    cases = [
        case(13, title="Disk is 95% full on db1", priority="P1", assignee_id=USER_ID, modified_at=None),
        case(12, status="IN_PROGRESS", status_name="In Progress"),
    ]
    api.answers("GET", "/api/v2/cases", page(cases))

    shown = run("cases", "list")

    assert shown.exit_code == 0
    assert shown.out.splitlines() == [
        "KEY     PRIO  STATUS       TITLE                    ASSIGNEE  CREATED  CHANGED",
        "OPS-13  P1    Open         Disk is 95% full on db1  7c9e6679  2 h ago  -",
        "OPS-12  P2    In Progress  Checkout is slow         -         2 h ago  5 min ago",
    ]
    assert shown.err == "2 cases in Acme On-Call\n"
    assert dict(api.last.url.params) == {
        "page[size]": "25",
        "page[number]": "1",
        "sort[field]": "created_at",
        "sort[asc]": "false",
    }
    assert api.last.headers["DD-API-KEY"] == "api-oncall"
    assert api.last.headers["DD-APPLICATION-KEY"] == "app-oncall"


def test_list_tells_how_many_there_are_and_how_to_see_more(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", page([case(13), case(12)], matching=5, number=2, size=2))

    shown = run("cases", "list", "--limit", "2", "--page", "2")

    assert shown.err == "2 of 5 cases in Acme On-Call; more: --page 3\n"
    assert api.last.url.params["page[number]"] == "2"
    assert api.last.url.params["page[size]"] == "2"


def test_filters_become_one_search_in_which_all_must_hold(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", page([case()]))

    run(
        "cases",
        "list",
        "-p",
        "OPS",
        "-s",
        "open",
        "--priority",
        "P1",
        "--priority",
        "p2",
        "-a",
        "me",
        "--sort",
        "priority",
    )

    asked = api.last.url.params
    assert asked["filter"] == "project:OPS AND status:OPEN AND priority:(P1 OR P2) AND assignee:me"
    assert (asked["sort[field]"], asked["sort[asc]"]) == ("priority", "true")


def test_words_of_a_search_stand_in_brackets_beside_filters(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", page([case()]))

    run("cases", "search", "disk OR pool", "--status", "OPEN")
    alone = api.last
    run("cases", "search", "disk OR pool")

    assert alone.url.params["filter"] == "(disk OR pool) AND status:OPEN"
    assert api.last.url.params["filter"] == "disk OR pool"


def test_json_is_what_the_api_answered(api: Api, run: Run) -> None:
    document = page([case(title="Größe ✓")], matching=40)
    api.answers("GET", "/api/v2/cases", document)

    shown = run("cases", "list", "--json")

    assert shown.json == document
    assert "Größe ✓" in shown.out
    assert shown.err == ""


def test_an_empty_list_says_what_to_do_next(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", page([]))

    assert run("cases", "list").err == (
        "No cases in Acme On-Call. Create one: case-cli cases create TITLE. Another tenant: --tenant case_management.\n"
    )
    assert run("cases", "search", "x").err == (
        "No cases match in Acme On-Call. Another tenant: --tenant case_management.\n"
    )
    assert run("cases", "list", "--page", "3").err == "No page 3 in Acme On-Call.\n"


def test_get_shows_all_of_a_case_and_its_comments(api: Api, run: Run) -> None:
    shown_case = case(
        description="Since the release.\nSee the graph.",
        status="CLOSED",
        status_name="Closed",
        assignee_id=USER_ID,
        attributes={"team": ["db", "web"], "region": ["eu"]},
        resolved_reason="Index added",
        due_date="2026-03-04",
        closed_at=NOW - timedelta(minutes=5),
        alerts=[{"alert_id": ALERT_ID, "status": "RESOLVED", "seq": 3, "triggers": 4}],
    )
    api.answers("GET", "/api/v2/cases/OPS-12", {"data": shown_case})
    comments = [comment("Looking.\nHold on."), comment("Done.", modified_at=NOW)]
    api.answers("GET", f"/api/v2/cases/{CASE_ID}/timelines", {"data": comments})

    shown = run("cases", "get", "OPS-12")

    assert shown.out == (
        "OPS-12  Checkout is slow\n"
        "Closed  P2\n"
        f"Id          {CASE_ID}\n"
        f"Assignee    {USER_ID}\n"
        f"Created     2026-03-01 12:05 CET (2 h ago) by {USER_ID}\n"
        "Changed     2026-03-01 14:00 CET (5 min ago)\n"
        "Closed      2026-03-01 14:00 CET (5 min ago)\n"
        "Reason      Index added\n"
        "Due         2026-03-04\n"
        "Attributes  region=eu  team=db,web\n"
        "Alert       RESOLVED  db1-disk  (4 times)\n"
        "\n"
        "Since the release.\n"
        "See the graph.\n"
        "\n"
        f"2026-03-01 13:55 CET (10 min ago)  {USER_ID}\n"
        "Looking.\n"
        "Hold on.\n"
        "\n"
        f"2026-03-01 13:55 CET (10 min ago)  {USER_ID} (edited)\n"
        "Done.\n"
    )


def test_get_as_json_asks_once(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/OPS-12", {"data": case()})

    assert run("cases", "get", "OPS-12", "--json").json == {"data": case()}
    assert api.lines() == ["GET /api/v2/cases/OPS-12"]


def test_get_shows_a_case_as_it_was_without_its_comments(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/OPS-12", {"data": case(title="Checkout was slow", version=3)})

    for asked, sent in (
        (("--version", "3"), {"version": "3"}),
        (("--as-of", "2026-03-01T12:00:00Z"), {"as_of": "2026-03-01T12:00:00Z"}),
        # The user's zone is CET.
        (("--as-of", "2026-03-01 14:05"), {"as_of": "2026-03-01T13:05:00Z"}),
        (("--as-of", "2026-07-01"), {"as_of": "2026-06-30T22:00:00Z"}),
        (("--as-of", "2026-03-01T14:05:06.000007+03:00"), {"as_of": "2026-03-01T11:05:06.000007Z"}),
        (("--as-of", "now-2h"), {"as_of": "now-2h"}),
    ):
        shown = run("cases", "get", "OPS-12", *asked)
        assert dict(api.last.url.params) == sent
        assert shown.out.startswith("OPS-12  Checkout was slow\n")
        assert shown.err == "as of version 3; what changed: case-cli cases activity OPS-12\n"
    assert {line.partition("?")[0] for line in api.lines()} == {"GET /api/v2/cases/OPS-12"}


def test_get_takes_a_time_or_a_version(api: Api, run: Run) -> None:
    both = run("cases", "get", "OPS-12", "--version", "3", "--as-of", "now")
    none = run("cases", "get", "OPS-12", "--as-of", " ")

    assert (both.exit_code, none.exit_code) == (2, 2)
    assert "Give one of them." in both.err
    assert "needs a time" in none.err
    assert api.lines() == []


def test_a_key_cannot_leave_its_place_in_the_path(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/../projects?x=1", {"data": case()})

    run("cases", "get", "../projects?x=1", "--json")

    assert api.last.url.raw_path == b"/api/v2/cases/..%2Fprojects%3Fx%3D1"


def test_timeline_counts_its_pages_from_zero_at_the_api(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/OPS-12/timelines", {"data": [comment("One"), comment("Two")]})

    shown = run("cases", "timeline", "OPS-12", "--page", "2", "-n", "2")

    assert dict(api.last.url.params) == {"page[size]": "2", "page[number]": "1", "sort[ascending]": "true"}
    assert [line for line in shown.out.splitlines() if line in {"One", "Two"}] == ["One", "Two"]
    assert shown.err == "2 comments; more: --page 3\n"


def test_a_case_without_comments_says_how_to_write_one(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/OPS-12/timelines", {"data": []})

    assert run("cases", "timeline", "OPS-12").err == "No comments. Add one: case-cli cases comment OPS-12 TEXT\n"


def test_activity_tells_who_changed_what_from_what_to_what(api: Api, run: Run) -> None:
    entries = [
        entry(
            "case_opened",
            {"new": {"title": "Checkout is slow", "key": "OPS-12"}},
            version=1,
            actor="integration:pagerduty",
        ),
        entry("case_status_changed", {"field": "status", "old": "OPEN", "new": "CLOSED"}, version=2),
        entry("case_attributes_changed", {"field": "attributes", "old": {}, "new": {"team": ["db"]}}, version=3),
        entry("comment_added", {"field": "comment", "cell_id": "c", "new": "Looking."}, version=4),
        entry("comment_deleted", {"field": "comment", "cell_id": "c", "new": None}, version=5),
        entry("case_archived", {"field": "archived", "old": False, "new": True}, version=6),
        entry("case_unassigned", {"field": "assignee_id", "old": USER_ID, "new": None}, version=7),
        entry("alert_resolved", {"field": "alert", "alert_id": ALERT_ID, "new": "RESOLVED"}, version=8),
    ]
    api.answers("GET", "/api/v2/cases/OPS-12/activity", {"data": entries})

    shown = run("cases", "activity", "OPS-12")

    assert shown.out.splitlines() == [
        "#  TIME              BY         WHAT             CHANGE",
        "1  2026-03-01 14:05  pagerduty  opened           Checkout is slow",
        "2  2026-03-01 14:05  7c9e6679   status           OPEN -> CLOSED",
        "3  2026-03-01 14:05  7c9e6679   attributes       nothing -> team=db",
        "4  2026-03-01 14:05  7c9e6679   comment          Looking.",
        "5  2026-03-01 14:05  7c9e6679   comment deleted",
        "6  2026-03-01 14:05  7c9e6679   archived",
        f"7  2026-03-01 14:05  7c9e6679   assignee         {USER_ID} -> nothing",
        "8  2026-03-01 14:05  7c9e6679   alert resolved   db1-disk",
    ]


@pytest.mark.parametrize("command", ["list", "get", "timeline", "activity"])
def test_text_of_others_does_nothing_to_the_terminal(api: Api, run: Run, command: str) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jred\u202e\r"
    hostile = case(title=evil, description=evil, attributes={"a": [evil]}, status_name=evil)
    told = [entry("comment_added", {"field": "comment", "new": evil}, actor=f"integration:{evil}")]
    api.answers("GET", "/api/v2/cases", page([hostile]))
    api.answers("GET", "/api/v2/cases/OPS-12", {"data": hostile})
    api.answers("GET", f"/api/v2/cases/{CASE_ID}/timelines", {"data": [comment(evil)]})
    api.answers("GET", "/api/v2/cases/OPS-12/timelines", {"data": [comment(evil)]})
    api.answers("GET", "/api/v2/cases/OPS-12/activity", {"data": told})

    shown = run("cases", command, *([] if command == "list" else ["OPS-12"]))

    assert shown.exit_code == 0
    assert "red" in shown.out
    assert not set(shown.out) & {"\x1b", "\x07", "\r", "\u202e"}


def test_markup_and_emoji_codes_in_titles_are_plain_text(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", page([case(title="[bold]x[/bold] :smile: [link=file:///etc]")]))

    assert "[bold]x[/bold] :smile: [link=file:///etc]" in run("cases", "list").out


def test_an_unknown_status_is_a_wrong_argument(api: Api, run: Run) -> None:
    shown = run("cases", "list", "--status", "DONE")

    assert shown.exit_code == 2
    assert "DONE" in shown.err
    assert api.asked == []


def test_an_answer_of_another_shape_is_said_and_is_no_traceback(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", httpx.Response(200, json={"data": [{"id": "x"}]}))

    shown = run("cases", "list")

    assert shown.exit_code == 70
    assert shown.err.startswith("Error: The API's answer was not understood (KeyError: 'attributes').")
    assert "Traceback" not in shown.err
