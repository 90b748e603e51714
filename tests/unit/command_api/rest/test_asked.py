"""What headers ask, and when two requests are the same."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from command_api.rest.asked import ask
from infra.runtime.problems import Problem

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def request(method: str = "POST", path: str = "/api/v2/cases/OPS-1/title", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": raw,
        "query_string": b"",
        "scheme": "http",
        "server": ("localhost", 80),
        "root_path": "",
    }
    return Request(scope)


@pytest.mark.parametrize(("said", "version"), [('"7"', 7), ("7", 7), ("*", None), (' "12" ', 12)])
def test_an_expected_version_is_written_as_answers_write_it(said: str, version: int | None) -> None:
    assert ask(request(if_match=said)).expected_version == version


def test_without_a_header_any_version_will_do() -> None:
    asked = ask(request())

    assert (asked.expected_version, asked.idempotency_key, asked.traceparent) == (None, None, None)


@pytest.mark.parametrize("said", ['"x"', 'W/"7"', '"7', "", "-1", '"1", "2"', "7" * 19])
def test_an_expected_version_that_is_none_is_400(said: str) -> None:
    with pytest.raises(Problem) as refused:
        ask(request(if_match=said))

    assert refused.value.status == 400
    assert refused.value.faults[0].field == "If-Match"


@pytest.mark.parametrize(("said", "kept"), [(TRACE, TRACE), ("00-zz-01", None), (TRACE + "\x00", None)])
def test_only_a_trace_parent_goes_on(said: str, kept: str | None) -> None:
    assert ask(request(traceparent=said)).traceparent == kept


def test_requests_are_the_same_however_their_json_is_written() -> None:
    one: Any = {"data": {"type": "case", "attributes": {"title": "a"}}}
    other: Any = {"data": {"attributes": {"title": "a"}, "type": "case"}}

    assert ask(request(), one).fingerprint == ask(request(), other).fingerprint


@pytest.mark.parametrize(
    ("changed", "document"),
    [
        (request(), {"title": "b"}),
        (request(path="/api/v2/cases/OPS-2/title"), {"title": "a"}),
        (request(method="PUT"), {"title": "a"}),
        (request(), None),
    ],
)
def test_requests_that_ask_something_else_are_not_the_same(changed: Request, document: Any) -> None:
    assert ask(request(), {"title": "a"}).fingerprint != ask(changed, document).fingerprint


def test_a_body_that_is_nested_too_deeply_is_400() -> None:
    document: Any = []
    for _ in range(600):
        document = [document]
    with pytest.raises(Problem) as refused:
        ask(request(), document)

    assert (refused.value.status, refused.value.faults[0].code) == (400, "request.too_deep")
