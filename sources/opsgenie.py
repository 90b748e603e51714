"""Opsgenie's Alert API, its words and limits. Pure; what receives stands in `opsgenie_receiver`.

Source of the rules: Opsgenie documentation, "Alert API" and "Response". Inside, an alias is the dedup key and is kept
whole, though it may be twice as long as other keys; an alert's id is the alias in base64url, so that nothing has to be
looked up to find the alert that an id names.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.runtime.problems import Fault
from sources import limits
from sources.signal import Invalid, Signal
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.outcomes import Receipt

ALIAS: Final = 512
MESSAGE: Final = 130
DETAILS: Final = 8_000
"""Characters of all names and values of `details` together."""

_REPEATED: Final = {
    "already_acknowledged": "Alert is already acknowledged",
    "stale_episode": "Alert is already closed",
}
_Text = Annotated[str, Field(max_length=ALIAS)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Action(_Part):
    user: str | None = Field(None, max_length=100)
    source: str | None = Field(None, max_length=100)
    note: str | None = Field(None, max_length=25_000)


class _Create(_Action):
    message: str = Field(max_length=MESSAGE)
    alias: str | None = Field(None, max_length=ALIAS)
    description: str | None = Field(None, max_length=15_000)
    responders: list[dict[str, Any]] | None = Field(None, max_length=50)
    visible_to: list[dict[str, Any]] | None = Field(None, alias="visibleTo", max_length=50)
    actions: list[Annotated[str, Field(max_length=50)]] | None = Field(None, max_length=10)
    tags: list[Annotated[str, Field(max_length=50)]] | None = Field(None, max_length=20)
    details: dict[str, Any] | None = None
    entity: _Text | None = None
    priority: Literal["P1", "P2", "P3", "P4", "P5"] = "P3"


def translate(raw: Any) -> Signal:
    """Return the signal of a create request. Raises Invalid with all that is wrong."""
    if not isinstance(raw, dict):
        raise Invalid([_said("body", "Request body must be a JSON object.")])
    # Clients send null for what they leave out.
    given = {name: value for name, value in raw.items() if value is not None}
    faults: list[Fault] = []
    try:
        create = _Create.model_validate(given)
    except ValidationError as error:
        raise Invalid([_fault(e) for e in error.errors(include_url=False)]) from None
    if limits.blank(create.message):
        faults.append(_said("message", "Message can not be empty."))
    labels = {name: value if isinstance(value, str) else _json(value) for name, value in (create.details or {}).items()}
    size = sum(len(name) + len(value) for name, value in labels.items())
    if size > DETAILS:
        faults.append(limits.over("details", size, DETAILS))
    elif found := limits.label_faults(labels, "details"):
        faults += found
    if faults:
        raise Invalid(faults)
    named = {"entity": create.entity, "source": create.source, "tags": ",".join(create.tags or ())}
    return Signal(
        action=Action.TRIGGER,
        dedup_key=create.alias or None,
        summary=create.message,
        description=create.description or "",
        priority=Priority(create.priority),
        labels=limits.fit_labels({**{name: value for name, value in named.items() if value}, **labels}),
        details=limits.details(
            {
                "responders": create.responders,
                "visibleTo": create.visible_to,
                "actions": create.actions,
                "tags": create.tags,
                "user": create.user,
                "note": create.note,
            }
        ),
    )


def translate_action(raw: Any, action: Action, alias: str) -> Signal:
    """Return the signal of an acknowledge or close request. raw: None where it has no body. Raises Invalid."""
    if raw is not None and not isinstance(raw, dict):
        raise Invalid([_said("body", "Request body must be a JSON object.")])
    if len(alias) > ALIAS:
        raise Invalid([limits.over("identifier", len(alias), ALIAS)])
    try:
        given = _Action.model_validate({name: value for name, value in (raw or {}).items() if value is not None})
    except ValidationError as error:
        raise Invalid([_fault(e) for e in error.errors(include_url=False)]) from None
    return Signal(action=action, dedup_key=alias, details=limits.details(given.model_dump()))


def alert_id(alias: str) -> str:
    """Return the id that stands for an alias in this API."""
    return base64.urlsafe_b64encode(alias.encode()).decode().rstrip("=")


def alias_of(identifier: str) -> str | None:
    """Return the alias that an id of this API stands for, None where it is no such id."""
    try:
        alias = base64.b64decode(identifier + "=" * (-len(identifier) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    # One alias has one id: what only decodes to it does not stand for it.
    return alias if alias and alert_id(alias) == identifier else None


def status(receipt: Receipt, reason: str) -> tuple[bool, str]:
    """Return whether a request succeeded, and in Opsgenie's words what became of it."""
    match receipt:
        case Receipt.FOLDED:
            return True, "Request processed"
        case Receipt.DEDUPLICATED:
            return True, _REPEATED.get(reason, "Alert is de-duplicated")
        case Receipt.SUPPRESSED:
            return True, f"Alert is suppressed by {reason}"
        case Receipt.DROPPED:
            return False, "Alert does not exist"
        case Receipt.REJECTED | Receipt.DEAD_LETTERED:
            return False, f"Request could not be processed: {reason}"


def errors(faults: tuple[Fault, ...]) -> Mapping[str, str]:
    """Return what is wrong by field, as Opsgenie does."""
    return {fault.field or "body": fault.detail for fault in faults}


def _fault(error: Any) -> Fault:
    field = "#".join(str(part) for part in error["loc"]) or "body"
    match error["type"]:
        case "missing":
            text = "Message can not be empty." if field == "message" else f"{field} can not be empty."
        case "string_too_long" | "too_long":
            unit = "characters" if error["type"] == "string_too_long" else "items"
            text = f"{field} can have at most {error['ctx']['max_length']} {unit}."
            return Fault(code="limit.exceeded", detail=text, field=field)
        case "literal_error":
            text = f"{field} should be one of [ P1, P2, P3, P4, P5 ]."
        case _:
            text = f"{field} is invalid: {error['msg']}."
    return _said(field, text)


def _said(field: str, text: str) -> Fault:
    return Fault(code="alert.field_invalid", detail=text, field=field)


def _json(value: Any) -> str:
    return limits.details({"v": value}).decode().removeprefix('{"v":').removesuffix("}")
