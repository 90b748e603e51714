"""Values as the REST API writes them: times, identities, users."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, overload


@overload
def moment(at: datetime) -> str: ...
@overload
def moment(at: None) -> None: ...
def moment(at: datetime | None) -> str | None:
    """Return an instant in ISO 8601, UTC, with microseconds."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def user_of(actor: str | None) -> str | None:
    """Return the user's id of an actor ("user:ID"), None where it is no user or nobody."""
    kind, _, name = (actor or "").partition(":")
    return name if kind == "user" and name else None


def user(user_id: str | None) -> dict[str, Any]:
    """Return a to-one relationship to a user."""
    return {"data": None if user_id is None else {"id": user_id, "type": "user"}}
