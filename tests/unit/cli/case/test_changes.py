"""`case-cli cases create|update|...`: each change is one request under one Idempotency-Key."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.unit.cli.case.documents import CASE_ID, PROJECT_ID, USER_ID, case, comment, project, refusal
from tests.unit.cli.case.fake_api import Api, Run

PROJECTS = "/api/v2/cases/projects"
STANDARD = "00000000-0000-0000-0000-000000000001"


def created(api: Api) -> None:
    api.answers("GET", PROJECTS, {"data": [project()]})
    api.answers("POST", "/api/v2/cases", httpx.Response(201, json={"data": case()}))


def test_create_sends_what_was_given_and_shows_the_key(api: Api, run: Run) -> None:
    created(api)

    shown = run("cases", "create", "Checkout is slow", "--priority", "p2", "-a", USER_ID, "-d", "Since noon.")

    assert shown.out == "Created OPS-12  Open  P2  Checkout is slow\n"
    assert shown.exit_code == 0
    assert api.body() == {
        "data": {
            "type": "case",
            "attributes": {
                "title": "Checkout is slow",
                "description": "Since noon.",
                "priority": "P2",
                "type_id": STANDARD,
            },
            "relationships": {
                "project": {"data": {"type": "project", "id": PROJECT_ID}},
                "assignee": {"data": {"type": "user", "id": USER_ID}},
            },
        }
    }
    uuid.UUID(api.last.headers["Idempotency-Key"])


def test_create_says_nothing_of_what_was_not_given(api: Api, run: Run) -> None:
    created(api)

    run("cases", "create", "Checkout is slow")

    assert api.body()["data"]["attributes"] == {"title": "Checkout is slow", "type_id": STANDARD}
    assert "assignee" not in api.body()["data"]["relationships"]


def test_create_takes_the_description_from_standard_input(api: Api, run: Run) -> None:
    created(api)

    run("cases", "create", "Report", "-d", "-", stdin="Line 1\nLine 2 ✓\n\n")

    assert api.body()["data"]["attributes"]["description"] == "Line 1\nLine 2 ✓"


def test_standard_input_that_is_no_text_is_refused(api: Api, run: Run) -> None:
    shown = run("cases", "create", "Report", "-d", "-", stdin=b"abc\xff")

    assert shown.exit_code == 2
    assert shown.err.startswith("Error: Standard input is not UTF-8 (byte 3).\nConvert it first")
    assert api.asked == []


def test_create_sets_attributes_in_a_second_step_with_a_key_of_its_own(api: Api, run: Run) -> None:
    created(api)
    api.answers("POST", f"/api/v2/cases/{CASE_ID}/attributes", {"data": case(attributes={"team": ["db", "web"]})})

    shown = run(
        "cases", "create", "X", "--attribute", "team=db", "--attribute", "team=web", "--idempotency-key", "k", "--json"
    )

    assert shown.json["data"]["attributes"]["attributes"] == {"team": ["db", "web"]}
    assert [r.headers.get("Idempotency-Key") for r in api.asked] == [None, "k", "k/attributes"]
    assert api.body()["data"]["attributes"] == {"attributes": {"team": ["db", "web"]}}


def test_create_says_that_the_case_is_there_where_its_attributes_are_refused(api: Api, run: Run) -> None:
    created(api)
    api.answers(
        "POST",
        f"/api/v2/cases/{CASE_ID}/attributes",
        refusal(422, "case.attribute_too_long", "has 300 characters; the limit is 200", "data.attributes.attributes"),
    )

    shown = run("cases", "create", "X", "--attribute", f"team={'x' * 300}")

    assert shown.exit_code == 1
    assert shown.err == (
        "Error: attributes: has 300 characters; the limit is 200.\nOPS-12 is created, but without its attributes.\n"
    )


def test_create_without_a_project_names_the_several_there_are(api: Api, run: Run) -> None:
    api.answers("GET", PROJECTS, {"data": [project(), project("PAY", "Payments", CASE_ID)]})

    shown = run("cases", "create", "X")

    assert shown.exit_code == 2
    assert shown.err == (
        "Error: There are several projects.\nName one of them: --project KEY, with KEY one of OPS, PAY.\n"
    )


def test_create_in_an_unknown_project_names_the_known_ones(api: Api, run: Run) -> None:
    api.answers("GET", PROJECTS, {"data": [project()]})

    shown = run("cases", "create", "X", "-p", "NOPE", "--json")

    assert shown.exit_code == 3
    assert shown.out == ""
    assert '"there is no project NOPE in Acme On-Call"' in shown.err
    assert "There are: OPS. Looked in Acme On-Call." in shown.err


def test_update_makes_one_change_for_each_field_in_an_order_that_works(api: Api, run: Run) -> None:
    for name in ("title", "description", "priority", "unassign", "due_date", "status", "resolved_reason"):
        api.answers("POST", f"/api/v2/cases/OPS-12/{name}", {"data": case(status="CLOSED", status_name="Closed")})

    shown = run(
        *("cases", "update", "OPS-12", "--resolved-reason", "Index added", "--status", "closed", "--title", "New"),
        *(
            "--priority",
            "P1",
            "--due-date",
            "2026-03-04",
            "--assignee",
            "none",
            "--description",
            "",
            "--idempotency-key",
            "k",
        ),
    )

    assert shown.out == "Updated OPS-12  Closed  P2  Checkout is slow\n"
    assert [(r.url.path.rpartition("/")[2], r.headers["Idempotency-Key"]) for r in api.asked] == [
        (name, f"k/{name}")
        for name in ("title", "description", "priority", "unassign", "due_date", "status", "resolved_reason")
    ]
    assert [api.body(i)["data"].get("attributes") for i in range(7)] == [
        {"title": "New"},
        {"description": ""},
        {"priority": "P1"},
        None,
        {"due_date": "2026-03-04"},
        {"status": "CLOSED"},
        {"security_resolved_reason": "Index added"},
    ]


def test_update_of_one_field_uses_the_key_as_it_is(api: Api, run: Run) -> None:
    api.answers("POST", "/api/v2/cases/OPS-12/status", {"data": case()})

    run("cases", "update", "OPS-12", "--status", "OPEN", "--idempotency-key", "k")

    assert api.last.headers["Idempotency-Key"] == "k"
    assert "If-Match" not in api.last.headers


def test_update_keeps_the_other_attributes_and_whoever_was_faster(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases/OPS-12", {"data": case(version=7, attributes={"team": ["db"], "region": ["eu"]})})
    conflict = refusal(409, "case.version_conflict", "the case is at version 8, not 7")
    api.answers("POST", "/api/v2/cases/OPS-12/attributes", {"data": case()}, conflict)

    done = run("cases", "update", "OPS-12", "--attribute", "team=web", "--attribute", "region=")
    refused = run("cases", "update", "OPS-12", "--attribute", "team=web")

    assert done.exit_code == 0
    assert api.body(1)["data"]["attributes"] == {"attributes": {"team": ["web"]}}
    assert api.asked[1].headers["If-Match"] == '"7"'
    assert refused.exit_code == 1
    assert refused.err == ("Error: The case is at version 8, not 7.\nLook at it as it is now, then decide again.\n")


def test_update_says_what_was_changed_and_what_was_not(api: Api, run: Run) -> None:
    api.answers("POST", "/api/v2/cases/OPS-12/title", {"data": case()})
    api.answers("POST", "/api/v2/cases/OPS-12/priority", refusal(422, "case.merged", "the case was merged into OPS-3"))

    shown = run("cases", "update", "OPS-12", "--title", "X", "--priority", "P1", "--status", "CLOSED")

    assert shown.exit_code == 1
    assert shown.err == "Error: The case was merged into OPS-3.\nChanged: title. Not changed: priority, status.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Nothing to change"),
        (("--assignee", "bob"), "'bob' is not a user id"),
        (("--due-date", "soon"), "'soon' is not a date"),
        (("--due-date", "+99999999999d"), "'+99999999999d' is not a date"),
        (("--attribute", "team"), "'team' is not an attribute"),
    ],
)
def test_arguments_that_make_no_sense_end_with_2_before_anything_is_asked(
    api: Api, run: Run, arguments: tuple[str, ...], said: str
) -> None:
    shown = run("cases", "update", "OPS-12", *arguments)

    assert shown.exit_code == 2
    assert shown.err.startswith(f"Error: {said}.\n")
    assert api.asked == []


def test_assign_gives_to_a_user_and_to_nobody(api: Api, run: Run) -> None:
    api.answers("POST", "/api/v2/cases/OPS-12/assign", {"data": case(assignee_id=USER_ID)})
    api.answers("POST", "/api/v2/cases/OPS-12/unassign", {"data": case()})

    given = run("cases", "assign", "OPS-12", USER_ID.upper())
    taken = run("cases", "assign", "OPS-12", "none")

    assert given.out == "Assigned OPS-12  Open  P2  Checkout is slow\n"
    assert given.err == f"assigned to {USER_ID}\n"
    assert api.body(0) == {"data": {"type": "case", "attributes": {"assignee_id": USER_ID}}}
    assert taken.out == "Unassigned OPS-12  Open  P2  Checkout is slow\n"
    assert api.body(1) == {"data": {"type": "case"}}


@pytest.mark.parametrize(("command", "said"), [("archive", "Archived"), ("unarchive", "Unarchived")])
def test_archive_and_unarchive(api: Api, run: Run, command: str, said: str) -> None:
    api.answers("POST", f"/api/v2/cases/OPS-12/{command}", {"data": case()})

    assert run("cases", command, "OPS-12").out == f"{said} OPS-12  Open  P2  Checkout is slow\n"


def test_comment_sends_the_text_and_answers_the_cell(api: Api, run: Run) -> None:
    answer = {"data": [comment("Failing over.")]}
    api.answers("POST", "/api/v2/cases/OPS-12/comment", answer)

    assert run("cases", "comment", "OPS-12", "Failing over.").out == "Commented on OPS-12\n"
    assert api.body() == {"data": {"type": "case", "attributes": {"comment": "Failing over."}}}
    assert run("cases", "comment", "OPS-12", "-", "--json", stdin="a\nb\n").json == answer
    assert api.body()["data"]["attributes"]["comment"] == "a\nb"
