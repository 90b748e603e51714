"""Bodies, problems and ids over a real application, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.runtime.errors import BrokerUnavailable
from infra.runtime.http import EXCEPTION_HANDLERS, Json, RequestContext, parse, read_body, read_json
from infra.runtime.problems import Problem


class Title(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    title: str
    count: int = Field(default=0)

    def model_post_init(self, _context: object) -> None:
        if len(self.title) > 5:
            raise PydanticCustomError("case.title_too_long", "a title has at most 5 characters")


async def echo(request: Request) -> Response:
    return Json(await read_json(request, 64))


async def size(request: Request) -> Response:
    return Json(len(await read_body(request, 64)))


async def away(_request: Request) -> Response:
    raise BrokerUnavailable


async def bug(_request: Request) -> Response:
    raise ZeroDivisionError("the secret of the house")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    routes = [
        Route("/echo", echo, methods=["POST"]),
        Route("/size", size, methods=["POST"]),
        Route("/away", away),
        Route("/bug", bug),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(RequestContext)], exception_handlers=EXCEPTION_HANDLERS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_json_comes_through(client: httpx.AsyncClient) -> None:
    assert (await client.post("/echo", json={"a": "é"})).json() == {"a": "é"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nul\x00"])
async def test_what_is_no_json_is_a_bad_request(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/echo", content=body)

    assert answer.status_code == 400
    assert answer.json()["details"][0]["code"] == "request.not_json"


async def test_a_body_over_the_limit_is_refused_with_the_limit(client: httpx.AsyncClient) -> None:
    answer = await client.post("/size", content=b"x" * 65)

    assert answer.status_code == 413
    assert "64 bytes" in answer.json()["errors"][0]


async def test_a_body_of_undeclared_size_is_refused_as_well(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 10

    assert (await client.post("/size", content=pieces())).status_code == 413


async def test_what_is_away_is_503_and_may_be_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.get("/away")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_a_bug_is_500_and_shows_nothing_of_its_insides(client: httpx.AsyncClient) -> None:
    answer = await client.get("/bug")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["details"][0]["code"] == "internal"


async def test_an_unknown_path_and_a_wrong_method_are_problems_too(client: httpx.AsyncClient) -> None:
    unknown, wrong = await client.get("/nothing"), await client.get("/echo")

    assert (unknown.status_code, unknown.json()["errors"]) == (404, ["there is nothing at /nothing"])
    assert (wrong.status_code, wrong.json()["errors"]) == (405, ["/echo does not take GET"])


async def test_a_request_keeps_its_own_id_where_it_is_a_uuid(client: httpx.AsyncClient) -> None:
    mine = "3f0c5f4e-7b7e-4a53-9d0c-2f6f1a1b7f10"

    kept = await client.post("/echo", json=1, headers={"X-Request-Id": mine})
    made = await client.post("/echo", json=1, headers={"X-Request-Id": "evil\tline"})

    assert kept.headers["x-request-id"] == mine
    assert UUID(made.headers["x-request-id"]).version == 4


def test_all_faults_of_a_document_come_at_once_with_their_fields() -> None:
    with pytest.raises(Problem) as refused:
        parse(Title, {"count": "1", "extra": 1})

    assert refused.value.status == 400
    assert {(fault.field, fault.code) for fault in refused.value.faults} == {
        ("title", "request.field_missing"),
        ("count", "request.field_invalid"),
        ("extra", "request.field_unknown"),
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], {"body": "must be an object"}),
        ("text", {"body": "must be an object"}),
        (None, {"body": "must be an object"}),
        ({"title": 5}, {"title": "must be a text"}),
        ({"title": "a", "count": "1"}, {"count": "must be a whole number"}),
    ],
)
def test_a_wrong_type_is_told_in_plain_words(document: object, said: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        parse(Title, document)

    assert {fault.field: fault.detail for fault in refused.value.faults} == said


def test_a_broken_rule_is_422_with_its_own_code() -> None:
    with pytest.raises(Problem) as refused:
        parse(Title, {"title": "too long"})

    assert refused.value.status == 422
    assert refused.value.faults[0].code == "case.title_too_long"
