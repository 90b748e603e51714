"""What gRPC reads ask, as typed values. Each fault is a Problem 400 that names the field."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from infra.runtime.kafka import Position
from infra.runtime.problems import problem
from query_api.operations.history import AtMoment, AtVersion, Then
from query_api.operations.page import SIZE_LIMIT
from schemas.proto import cases_pb2 as pb
from sinks.postgres.reads import CaseOrder

_ORDERS: Final[dict[int, CaseOrder]] = {
    pb.SORT_FIELD_UNSPECIFIED: CaseOrder.CREATED_AT,
    pb.SORT_FIELD_CREATED_AT: CaseOrder.CREATED_AT,
    pb.SORT_FIELD_PRIORITY: CaseOrder.PRIORITY,
    pb.SORT_FIELD_STATUS: CaseOrder.STATUS,
}


def size(number: int, *, default: int = 10, limit: int = SIZE_LIMIT, field: str = "page_size") -> int:
    if number == 0:
        return default
    if not 1 <= number <= limit:
        raise problem(400, "request.parameter", f"must be a whole number from 1 to {limit}, not {number}", field=field)
    return number


def page(number: int) -> int:
    """Return a page's number, counted from 1; 0 is the first as well."""
    if number < 0:
        raise problem(400, "request.parameter", "must not be negative", field="page_number")
    return max(number, 1)


def order(number: int) -> CaseOrder:
    found = _ORDERS.get(number)
    if found is None:
        raise problem(400, "request.parameter", f"must be one of {', '.join(CaseOrder)}", field="sort")
    return found


def position(text: str) -> Position | None:
    if not text:
        return None
    try:
        return Position.parse(text)
    except ValueError:
        raise problem(400, "request.position", "must be the position of a write", field="position") from None


def then(request: pb.GetCaseRequest) -> Then | None:
    """Return when, None for now."""
    match request.WhichOneof("then"):
        case "version":
            if request.version < 1:
                raise problem(400, "request.parameter", "must be at least 1", field="version")
            return AtVersion(request.version)
        case "as_of":
            try:
                return AtMoment(request.as_of.ToDatetime(UTC))
            except (ValueError, OverflowError):
                raise problem(400, "request.parameter", "is no time", field="as_of") from None
        case _:
            return None
