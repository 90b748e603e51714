"""The JSON:API documents of the REST API, as the commands write and read them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from infra.cli.case.problem import usage

CASE: Final = "case"
PROJECT: Final = "project"


def document(kind: str, attributes: Mapping[str, Any] | None = None, **relationships: Any) -> dict[str, Any]:
    """Return a request document. relationships: `name=(type, id)`; those that are None are left out."""
    data: dict[str, Any] = {"type": kind}
    if attributes is not None:
        data["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    related = {name: {"data": {"type": r[0], "id": r[1]}} for name, r in relationships.items() if r is not None}
    if related:
        data["relationships"] = related
    return {"data": data}


def related(resource: Mapping[str, Any], name: str) -> str | None:
    """Return the id of a to-one relationship, None where there is none."""
    data = ((resource.get("relationships") or {}).get(name) or {}).get("data") or {}
    return data.get("id")


def attributes_of(pairs: Sequence[str]) -> dict[str, list[str]]:
    """Return `["team=db", "team=web"]` as `{"team": ["db", "web"]}`; an empty value removes the name."""
    attributes: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise usage(f"{pair!r} is not an attribute", "Write NAME=VALUE, and NAME= to remove it.")
        values = attributes.setdefault(name.strip(), [])
        if value:
            values.append(value)
    return attributes


def due_date(text: str, today: date) -> str:
    """Return `2026-03-01`, `today`, `tomorrow` or `+3d` as an ISO date; `none` as the empty text."""
    match text.strip().lower():
        case "none" | "":
            return ""
        case "today":
            return today.isoformat()
        case "tomorrow":
            return (today + timedelta(days=1)).isoformat()
        case written:
            try:
                if written.startswith("+"):
                    return (today + timedelta(days=int(written[1:].removesuffix("d")))).isoformat()
                return date.fromisoformat(written).isoformat()
            except (ValueError, OverflowError):
                raise usage(
                    f"{text!r} is not a date", "Write 2026-03-01, today, tomorrow, +3d, or none to remove it."
                ) from None
