"""`case-cli watch`: one line a change, over as many connections as it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.cli.case.documents import ALERT_ID, CASE_ID, PROJECT_ID, USER_ID, live, refusal
from tests.unit.cli.case.fake_api import URL, Api, Run

STREAM = "/api/v2/cases/stream"
OPENED = live(
    "case_opened",
    {"new": {"title": "Checkout is slow"}},
    actor="integration:pagerduty",
    case_status="OPEN",
    case_status_name="Open",
)
CLOSED = live(
    "case_status_changed",
    {"field": "status", "old": "OPEN", "new": "CLOSED"},
    case_status="CLOSED",
    case_status_name="Closed",
)


def message(cursor: str, document: Any, name: str = "activity") -> str:
    return f"id: {cursor}\nevent: {name}\ndata: {json.dumps(document)}\n\n"


class Broken(httpx.SyncByteStream):
    """Ends like a connection that is cut."""

    def __init__(self, *pieces: str, error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from (piece.encode() for piece in self._pieces)
        if self._error is not None:
            raise self._error


def stream(*pieces: str, error: Exception | None = None) -> Callable[[httpx.Request], httpx.Response]:
    """A connection that gives these pieces and then ends, or fails."""
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    return lambda _request: httpx.Response(200, headers=headers, stream=Broken(*pieces, error=error))


def messages(documents: Iterable[Any]) -> Callable[[httpx.Request], httpx.Response]:
    return stream(
        ": casestream\nretry: 1000\n\n",
        message("0", {}, "ready"),
        *(message(str(n), d) for n, d in enumerate(documents, 1)),
    )


def test_each_change_is_a_line_in_the_users_zone(api: Api, run: Run) -> None:
    told = [
        OPENED,
        live(
            "alert_retriggered",
            {"field": "alert", "alert_id": ALERT_ID, "new": "TRIGGERED"},
            actor="integration:pagerduty",
        ),
        live("comment_added", {"field": "comment", "new": "Line 1\nLine 2"}),
        live("case_closed_somehow", {}, occurred_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC)),
        CLOSED,
    ]
    api.answers("GET", STREAM, messages(told))

    shown = run("watch", "--count", "5")

    assert shown.out.splitlines() == [
        "Sunday 2026-03-01",
        "14:05:09  OPS-12      Open         P2  opened  Checkout is slow  by pagerduty",
        "14:05:09  OPS-12      In Progress  P2  alert again  db1-disk  Checkout is slow  by pagerduty",
        "14:05:09  OPS-12      In Progress  P2  comment  Line 1 Line 2  Checkout is slow  by 7c9e6679",
        "Monday 2026-03-02",
        "00:30:00  OPS-12      In Progress  P2  closed somehow  Checkout is slow  by 7c9e6679",
        "Sunday 2026-03-01",
        "14:05:09  OPS-12      Closed       P2  status  OPEN -> CLOSED  Checkout is slow  by 7c9e6679",
    ]
    assert shown.err == "Watching in Acme On-Call. Ctrl-C ends.\n"
    assert api.last.headers["Accept"] == "text/event-stream"
    assert api.last.headers["DD-API-KEY"] == "api-oncall"


def test_json_is_one_line_a_change_as_the_api_told_it(api: Api, run: Run) -> None:
    api.answers("GET", STREAM, messages([OPENED, CLOSED]))

    shown = run("watch", "--json", "--count", "2")

    assert [json.loads(line) for line in shown.out.splitlines()] == [OPENED, CLOSED]
    assert shown.err == ""


def test_a_connection_that_is_cut_is_taken_up_where_it_ended(api: Api, run: Run, pauses: list[float]) -> None:
    api.answers(
        "GET",
        STREAM,
        stream(
            message("0", {}, "ready"),
            message("a", OPENED),
            ": ping\n\n",
            error=httpx.RemoteProtocolError("peer closed"),
        ),
        httpx.ConnectError("refused"),
        refusal(503, "service.unavailable", "Postgres is away"),
        stream(message("b", CLOSED), message("b", {}, "ready")),
        stream(message("c", CLOSED)),
    )

    shown = run("watch", "--count", "3")

    assert [r.headers.get("Last-Event-ID") for r in api.asked] == [None, "a", "a", "a", "b"]
    assert len([line for line in shown.out.splitlines() if "OPS-12" in line]) == 3
    assert shown.err.splitlines() == [
        "Watching in Acme On-Call. Ctrl-C ends.",
        "Connection lost (peer closed); connecting again. Ctrl-C ends.",
        "Connected again; nothing was missed.",
        "Connection lost (the API ended it); connecting again. Ctrl-C ends.",
        "Connected again; nothing was missed.",
    ]
    assert pauses == [0.5, 1.0, 2.0, 0.5]


def test_the_wait_between_tries_is_bounded(api: Api, run: Run, pauses: list[float]) -> None:
    away: list[Any] = [httpx.ConnectError("refused")] * 8
    api.answers("GET", STREAM, stream(message("a", OPENED)), *away, stream(message("b", CLOSED)))

    run("watch", "--count", "2")

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("answer", "exit_code", "said"),
    [
        (httpx.ConnectError("refused"), 5, f"Error: Nothing answers at {URL}."),
        (refusal(403, "auth.key_unknown", "the API key is not valid"), 4, "Error: The API key is not valid."),
        (refusal(503, "service.unavailable", "Postgres is away"), 5, "Error: Postgres is away."),
        (httpx.Response(200, text="<html>"), 5, f"Error: {URL} answered with something that is not this API."),
    ],
)
def test_what_does_not_work_at_first_ends_the_watch(api: Api, run: Run, answer: Any, exit_code: int, said: str) -> None:
    api.answers("GET", STREAM, answer)

    shown = run("watch")

    assert shown.exit_code == exit_code
    assert said in shown.err


def test_keys_that_are_revoked_meanwhile_end_the_watch(api: Api, run: Run) -> None:
    api.answers(
        "GET", STREAM, stream(message("a", OPENED)), refusal(403, "auth.key_unknown", "the API key is not valid")
    )

    assert run("watch").exit_code == 4


def test_a_cursor_that_is_no_longer_good_ends_the_watch(api: Api, run: Run) -> None:
    api.answers(
        "GET",
        STREAM,
        stream(message("a", OPENED)),
        refusal(400, "stream.cursor_invalid", "cannot be read", "Last-Event-ID"),
    )

    shown = run("watch")

    assert shown.exit_code == 1
    assert "Last-Event-ID: cannot be read." in shown.err


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [
        ((), True),
        (("OPS-12",), True),
        (("ops-12",), True),
        ((CASE_ID,), True),
        (("OPS-1", "OPS-12"), True),
        (("OPS-1",), False),
        (("--project", "ops"), True),
        (("--project", PROJECT_ID), True),
        (("--project", "OP"), False),
        (("--status", "CLOSED"), True),
        (("--status", "OPEN"), False),
        (("--priority", "P1", "--priority", "P2"), True),
        (("--priority", "P1"), False),
        (("--project", "OPS", "--status", "OPEN"), False),
    ],
)
def test_filters_look_at_the_case_as_it_is_after_the_change(
    api: Api, run: Run, *, arguments: tuple[str, ...], passes: bool
) -> None:
    last = live(
        "case_title_changed",
        {},
        case_key="OPS-1",
        case_project_id=USER_ID,
        case_status="OPEN",
        case_priority="P1",
        case_id=USER_ID,
    )
    api.answers("GET", STREAM, messages([CLOSED, last]), KeyboardInterrupt())

    shown = run("watch", "--json", *arguments)

    assert shown.exit_code == 130
    assert (json.dumps(CLOSED["id"]) in shown.out and '"OPS-12"' in shown.out) is passes


@pytest.mark.parametrize("reason", ["overflow", "cursor_unknown"])
def test_a_stream_that_cannot_go_on_says_so_and_begins_anew(api: Api, run: Run, reason: str) -> None:
    resync = f'event: resync\ndata: {{"reason": "{reason}"}}\n\n'
    api.answers(
        "GET", STREAM, stream(message("a", OPENED), resync), stream(message("b", {}, "ready"), message("c", CLOSED))
    )

    shown = run("watch", "--count", "2")

    assert [r.headers.get("Last-Event-ID") for r in api.asked] == [None, None]
    assert "Some changes were missed: case-cli cases list shows how things are now." in shown.err
    assert "status  OPEN -> CLOSED" in shown.out


def test_a_lost_connection_whose_place_is_gone_does_not_say_that_nothing_was_missed(api: Api, run: Run) -> None:
    resync = 'event: resync\ndata: {"reason": "cursor_unknown"}\n\n'
    api.answers("GET", STREAM, stream(message("a", OPENED)), stream(resync), stream(message("c", CLOSED)))

    shown = run("watch", "--count", "2")

    assert [r.headers.get("Last-Event-ID") for r in api.asked] == [None, "a", None]
    assert shown.err.count("Some changes were missed") == 1
    assert shown.err.index("Some changes were missed") < shown.err.index("Connected again")


def test_messages_of_kinds_to_come_are_passed_over(api: Api, run: Run) -> None:
    api.answers("GET", STREAM, stream(message("a", {"x": 1}, "something_new"), message("b", CLOSED)))

    assert len(run("watch", "--json", "--count", "1").out.splitlines()) == 1


def test_the_api_says_how_long_to_wait_before_connecting_again(api: Api, run: Run, pauses: list[float]) -> None:
    api.answers("GET", STREAM, stream("retry: 3000\n\n", message("a", OPENED)), stream(message("b", CLOSED)))

    run("watch", "--count", "2")

    assert pauses == [3.0]


def test_text_of_others_does_nothing_to_the_terminal(api: Api, run: Run) -> None:
    evil = "\x1b[2J\x07red"
    hostile = live(
        f"x{evil}",
        {"field": evil, "old": evil, "new": evil},
        actor=f"user:{evil}",
        case_title=evil,
        case_status_name=evil,
        case_key=f"OPS-{evil}",
    )
    api.answers("GET", STREAM, messages([hostile]))

    shown = run("watch", "--count", "1")

    assert "red" in shown.out
    assert not set(shown.out) & {"\x1b", "\x07"}


def test_ctrl_c_is_quiet(api: Api, run: Run) -> None:
    api.answers("GET", STREAM, stream(message("a", OPENED)), KeyboardInterrupt())

    shown = run("watch", "--json")

    assert (shown.exit_code, shown.err) == (130, "")
