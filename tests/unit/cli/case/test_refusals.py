"""How a command ends that did not work: a sentence, what to do next, an exit code of its own for scripts."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.unit.cli.case.documents import case, page, refusal
from tests.unit.cli.case.fake_api import URL, Api, Run

TITLE = "/api/v2/cases/OPS-12/title"
UPDATE = ("cases", "update", "OPS-12", "--title", "X")


@pytest.mark.parametrize(
    ("answer", "exit_code", "said", "hint"),
    [
        (refusal(401, "auth.key_missing", "the request needs the header DD-API-KEY"), 4, "The request needs the header DD-API-KEY", "The stack may have been made anew"),
        (refusal(403, "auth.key_unknown", "the API key is not valid", "DD-API-KEY"), 4, "DD-API-KEY: the API key is not valid", "The stack may have been made anew"),
        (refusal(404, "case.not_found", "there is no case OPS-12", "case_id"), 3, "There is no case OPS-12", "Looked in Acme On-Call. To look in another tenant: --tenant case_management."),
        (refusal(409, "case.version_conflict", "the case is at version 8"), 1, "The case is at version 8", "Look at it as it is now"),
        (refusal(422, "case.title_too_long", "has 161 characters; the limit is 160", "data.attributes.title"), 1, "title: has 161 characters; the limit is 160", ""),
        (refusal(429, "rate", "too many", Retry_After="7"), 5, "Too many", "Wait a little and try again."),
        (httpx.Response(429, headers={"Retry-After": "7"}), 5, "Too many requests", "Wait 7 s and try again."),
        (refusal(503, "service.unavailable", "Kafka is away; nothing was done, try again"), 5, "Kafka is away; nothing was done, try again", "`casestream status` shows which part is away"),
        (httpx.Response(500, text="<html>"), 5, "The API failed (500)", "`casestream status` shows"),
        (httpx.Response(400, json={"errors": ["first of all", "second"]}), 1, "First of all; second", ""),
        (httpx.Response(400, json={"errors": [{"detail": "bad thing"}, {"title": "worse"}]}), 1, "Bad thing; worse", ""),
        (httpx.Response(400, json={"status": "invalid event", "message": "Event object is invalid"}), 1, "Event object is invalid", ""),
        (httpx.Response(400), 1, "The API refused the request (400)", ""),
        (httpx.Response(302, headers={"Location": "http://elsewhere/"}), 5, f"{URL} sent the request elsewhere (302)", "Check the URL."),
        (httpx.Response(200, text="<html>hello</html>"), 5, f"{URL} answered with something that is not this API", "Check the URL"),
        (httpx.Response(200, json=[1]), 5, f"{URL} answered with something that is not this API", "Check the URL"),
    ],
)  # fmt: skip
def test_an_answer_that_refuses_is_said_with_what_to_do_next(
    api: Api, run: Run, answer: httpx.Response, exit_code: int, said: str, hint: str
) -> None:
    api.answers("POST", TITLE, answer)

    shown = run(*UPDATE)

    assert shown.exit_code == exit_code
    assert shown.out == ""
    assert shown.err.splitlines()[0] == f"Error: {said}."
    assert "\n".join(shown.err.splitlines()[1:]).startswith(hint)
    assert bool(hint) == (len(shown.err.splitlines()) > 1)


def test_with_json_the_refusal_is_in_the_apis_own_form(api: Api, run: Run) -> None:
    api.answers("POST", TITLE, refusal(422, "case.title_too_long", "is too long", "data.attributes.title"))

    shown = run(*UPDATE, "--json")

    assert shown.out == ""
    assert json.loads(shown.err) == {
        "errors": ["title: is too long"],
        "details": [{"code": "case.title_too_long", "detail": "is too long", "field": "data.attributes.title"}],
        "hint": "",
    }


def test_an_error_of_others_does_nothing_to_the_terminal(api: Api, run: Run) -> None:
    api.answers("POST", TITLE, refusal(422, "x", "no \x1b[2J such \x07 thing"))

    assert run(*UPDATE).err == "Error: No [2J such  thing.\n"


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
def test_an_api_that_is_not_there(api: Api, run: Run, error: Exception) -> None:
    api.answers("GET", "/api/v2/cases", error)

    shown = run("cases", "list")

    assert shown.exit_code == 5
    assert shown.err == (
        f"Error: Nothing answers at {URL}.\n"
        "Is the stack running? `casestream status` tells; `casestream up` starts it.\n"
    )


def test_a_read_that_takes_too_long_may_simply_be_repeated(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", httpx.ReadTimeout("slow"))

    shown = run("cases", "list")

    assert (shown.exit_code, shown.err.splitlines()[0]) == (5, f"Error: {URL} did not answer within 15 s.")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ReadTimeout("slow"), "did not answer within 15 s"),
        (httpx.ReadError("gone"), "broke off the connection (gone)"),
    ],
)
def test_a_write_without_an_answer_says_under_which_key_to_repeat_it(
    api: Api, run: Run, error: Exception, said: str
) -> None:
    api.answers("POST", TITLE, error)

    shown = run(*UPDATE)

    assert shown.exit_code == 6
    key = api.last.headers["Idempotency-Key"]
    assert shown.err == (
        f"Error: {URL} {said}; whether the change was taken is not known.\n"
        f"Repeat the command with --idempotency-key {key}: nothing is done twice.\n"
    )


def test_a_write_that_is_pending_is_asked_after_under_the_same_key(api: Api, run: Run) -> None:
    pending = refusal(504, "command.pending", "the command was taken, but its outcome did not come in 5 s")
    api.answers("POST", TITLE, pending, pending, {"data": case()})

    shown = run(*UPDATE)

    assert shown.exit_code == 0
    keys = {r.headers["Idempotency-Key"] for r in api.asked}
    assert (len(api.asked), len(keys)) == (3, 1)
    assert shown.err == (f"Taken; waiting for its outcome. After Ctrl-C, --idempotency-key {keys.pop()} asks again.\n")


def test_a_write_that_stays_pending_ends_with_its_key(api: Api, run: Run, pauses: list[float]) -> None:
    def pending(_request: httpx.Request) -> httpx.Response:
        pauses.append(5.0)
        return refusal(504, "command.pending", "not yet")

    api.answers("POST", TITLE, pending)

    shown = run(*UPDATE, "--idempotency-key", "k")

    assert shown.exit_code == 6
    assert len(api.asked) == 7
    assert shown.err.splitlines()[-2:] == [
        "Error: The change was taken, but its outcome is not known yet.",
        "Ask again with --idempotency-key k (nothing is done twice); `casestream status` shows which part is behind.",
    ]


def test_a_search_after_a_write_waits_for_that_write() -> None:
    from infra.cli.case.client import Client
    from infra.cli.case.target import Target

    api = Api()
    api.answers("POST", TITLE, httpx.Response(200, json={"data": case()}, headers={"X-Position": "case.events/3@17"}))
    api.answers("GET", "/api/v2/cases", page([]))
    target = Target(url=URL, api_key="a", application_key="b")

    with Client(target, httpx.MockTransport(api)) as client:
        client.get("/api/v2/cases")
        client.write("POST", TITLE, {})
        client.get("/api/v2/cases")

    assert [r.headers.get("X-Position") for r in api.asked] == [None, None, "case.events/3@17"]


def test_ctrl_c_is_quiet(api: Api, run: Run) -> None:
    api.answers("GET", "/api/v2/cases", KeyboardInterrupt())

    shown = run("cases", "list")

    assert (shown.exit_code, shown.out, shown.err) == (130, "", "")
