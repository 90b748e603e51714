"""`/api/v2/cases/{count,aggregate,facets,autocomplete}`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Caller
from infra.runtime.http import Json, parse, read_json
from infra.runtime.problems import problem
from query_api.operations import counts
from query_api.operations.counts import Asked, Counts
from query_api.readers import Readers
from query_api.rest.parameters import Parameters
from query_api.search.syntax import VALUE_LIMIT
from schemas.rest.count import aggregate_document, count_document

_VALUES_LIMIT = 1_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _GroupBy(_Strict):
    groups: list[str]
    limit: Annotated[int, Field(ge=1, le=_VALUES_LIMIT)]


class _Attributes(_Strict):
    query_filter: str
    group_by: _GroupBy


class _Data(_Strict):
    type: Literal["aggregate"]
    attributes: _Attributes


class _Aggregate(_Strict):
    data: _Data


async def count_cases(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/count: query_filter, group_bys (comma-separated), limit."""
    given = Parameters(request)
    found = await counts.count_cases(
        readers,
        caller,
        Asked(text=given.text("query_filter") or "", position=given.position()),
        given.names("group_bys"),
        given.integer("limit", 100, low=1, high=_VALUES_LIMIT),
    )
    return Json(_document(found))


async def aggregate_cases(readers: Readers, caller: Caller, request: Request) -> Response:
    """POST /api/v2/cases/aggregate. It changes nothing."""
    body = parse(_Aggregate, await read_json(request)).data.attributes
    groups = list(dict.fromkeys(body.group_by.groups))
    asked = Asked(text=body.query_filter, position=Parameters(request).position(), field="data.attributes.query_filter")
    total, found = await counts.aggregate_cases(readers, caller, asked, groups, body.group_by.limit)
    return Json(aggregate_document(total, groups, ((c.values, c.count) for c in found)))


async def case_facets(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/facets: filter, limit."""
    given = Parameters(request)
    asked = Asked(text=given.text("filter") or "", position=given.position(), field="filter")
    return Json(_document(await counts.facets(readers, caller, asked, given.integer("limit", 20, low=1, high=100))))


async def autocomplete_cases(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/autocomplete: q, limit."""
    given = Parameters(request)
    typed = given.text("q") or ""
    if len(typed) > VALUE_LIMIT:
        raise problem(400, "query.too_long", f"at most {VALUE_LIMIT} characters", field="q")
    limit = given.integer("limit", 10, low=1, high=50)
    found = await counts.autocomplete(readers, caller, typed, limit, given.position())
    return Json(
        {
            "data": [
                {
                    "id": case["case_id"],
                    "type": "case",
                    "attributes": {"key": case["key"], "title": case["title"], "status": case["status"]},
                }
                for case in found
            ]
        }
    )


def _document(found: Counts) -> dict[str, object]:
    return count_document(
        found.total, {name: [(c.value, c.count) for c in group] for name, group in found.groups.items()}
    )
