"""What a gRPC write asks besides its content, and the values of its enumerations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from google.protobuf.message import Message

from infra.runtime.commands import Ask
from infra.runtime.problems import problem
from schemas.proto import cases_pb2 as pb
from schemas.proto.render import PRIORITIES, STATUSES
from sinks.postgres.reads import uuid_of
from streams.cases.case import Priority, Status

_STATUSES: Final[dict[int, Status]] = {number: status for status, number in STATUSES.items()}
_PRIORITIES: Final[dict[int, Priority]] = {number: priority for priority, number in PRIORITIES.items()}


def ask(request: Any) -> Ask:
    """Return what the request's `write` asks. Requests are the same when all but that is."""
    write: pb.Write = request.write
    content: Message = type(request)()
    content.CopyFrom(request)
    content.ClearField("write")
    return Ask.of(
        request.DESCRIPTOR.full_name,
        content.SerializeToString(deterministic=True),
        idempotency_key=write.idempotency_key or None,
        expected_version=write.expected_version if write.HasField("expected_version") else None,
    )


def status(number: int) -> Status:
    """Return the status. Problem 400 where none is said, or one that is not known."""
    found = _STATUSES.get(number)
    if found is None:
        raise problem(400, "request.field_invalid", f"must be one of {', '.join(Status)}", field="status")
    return found


def priority(number: int, *, default: Priority | None = None) -> Priority:
    """Return the priority, or `default` where none is said. Problem 400 where it is not known."""
    if number == pb.PRIORITY_UNSPECIFIED and default is not None:
        return default
    found = _PRIORITIES.get(number)
    if found is None:
        raise problem(400, "request.field_invalid", f"must be one of {', '.join(Priority)}", field="priority")
    return found


def user_id(text: str) -> str:
    """Return a user's id. Problem 400 where it is no UUID."""
    found = uuid_of(text)
    if found is None:
        raise problem(400, "request.field_invalid", "must be a UUID", field="assignee_id")
    return str(found)


def attributes(given: Mapping[str, pb.Values]) -> dict[str, list[str]]:
    return {name: list(values.values) for name, values in given.items()}


def due_date(text: str) -> str | None:
    """Return an ISO date, None where the text is empty. Problem 400 where it is no date."""
    if not text:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        detail = "must be a date, YYYY-MM-DD, or empty for none"
        raise problem(400, "request.field_invalid", detail, field="due_date") from None
