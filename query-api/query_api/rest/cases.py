"""`/api/v2/cases`: one, many, their comments and what happened to them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from infra.runtime.auth import Caller
from infra.runtime.http import Json
from infra.runtime.problems import problem
from query_api.operations import cases, history, timeline
from query_api.operations.cases import Listing
from query_api.operations.history import AtMoment, AtVersion, Then
from query_api.operations.page import SIZE_LIMIT
from query_api.readers import Readers
from query_api.rest.parameters import Parameters
from schemas.rest.activity import activity_document
from schemas.rest.case import case_data, case_document
from schemas.rest.page import page_document
from schemas.rest.timeline import timeline_document
from sinks.postgres.reads import CaseOrder

_LAST_PAGE = 1_000_000
_LAST_VERSION = 10**12 - 1


async def get_case(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/{case_id}: as_of or version, for the case as it was. The ETag is its version, which a write may
    expect.
    """
    name: str = request.path_params["case_id"]
    then = _then(readers, Parameters(request))
    if then is None:
        row = await cases.get_case(readers, caller, name)
    else:
        row = await history.get_case_then(readers, caller, name, then)
    return Json(case_document(row), headers={"ETag": f'"{row["version"]}"'})


def _then(readers: Readers, given: Parameters) -> Then | None:
    at = given.moment("as_of", readers.now())
    # 0 is no version: the first is 1.
    version = given.integer("version", 0, low=1, high=_LAST_VERSION)
    if at is not None and version:
        raise problem(400, "request.parameter", "give a time or a version, not both", field="as_of")
    if at is not None:
        return AtMoment(at)
    return AtVersion(version) if version else None


async def search_cases(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases: page[size], page[number] (from 1) or page[cursor], sort[field], sort[asc], filter."""
    given = Parameters(request)
    page = await cases.list_cases(
        readers,
        caller,
        Listing(
            text=given.text("filter"),
            order=given.choice("sort[field]", CaseOrder.CREATED_AT),
            ascending=given.flag("sort[asc]", default=False),
            number=given.integer("page[number]", 1, low=0, high=_LAST_PAGE),
            size=given.integer("page[size]", 10, low=1, high=SIZE_LIMIT),
            cursor=given.text("page[cursor]") or None,
            position=given.position(),
        ),
    )
    shown = [case_data(row) for row in page.rows]
    return Json(
        page_document(shown, number=page.number, size=page.size, matching=page.matching, next_cursor=page.next_cursor)
    )


async def list_case_timeline(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/{case_id}/timelines: page[size], page[number] (from 0), sort[ascending]."""
    given = Parameters(request)
    rows = await timeline.list_comments(
        readers,
        caller,
        request.path_params["case_id"],
        number=given.integer("page[number]", 0, low=0, high=_LAST_PAGE),
        size=given.integer("page[size]", SIZE_LIMIT, low=1, high=SIZE_LIMIT),
        ascending=given.flag("sort[ascending]", default=False),
    )
    return Json(timeline_document(rows))


async def list_case_activity(readers: Readers, caller: Caller, request: Request) -> Response:
    """GET /api/v2/cases/{case_id}/activity: page[size], page[number] (from 0), sort[ascending], which is the default."""
    given = Parameters(request)
    rows = await timeline.list_activity(
        readers,
        caller,
        request.path_params["case_id"],
        number=given.integer("page[number]", 0, low=0, high=_LAST_PAGE),
        size=given.integer("page[size]", SIZE_LIMIT, low=1, high=SIZE_LIMIT),
        ascending=given.flag("sort[ascending]", default=True),
    )
    return Json(activity_document(rows))
