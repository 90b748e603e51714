"""The published limits of a case, judged on the text that is kept. Codes and limits are the public API's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

from streams.cases.commands import (
    AddComment,
    AssignCase,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangeResolvedReason,
    ChangeTitle,
    EditComment,
)
from streams.decision import Rejected, reject
from streams.text import (
    COMMENT_LIMIT,
    DESCRIPTION_LIMIT,
    ID_LIMIT,
    RESOLVED_REASON_LIMIT,
    TAG_LIMIT,
    TAGS_BYTES,
    TAGS_LIMIT,
    TITLE_LIMIT,
    Sealed,
    sanitize,
    shorten,
)

_DATE_LENGTH: Final = len("2030-01-31")


def refuse(command: Any) -> Rejected | None:
    """Return why what this command says is out of bounds, None if it is not."""
    match command:
        case ChangeTitle(title=text):
            return title(text)
        case ChangeDescription(description=text):
            return description(text)
        case AddComment(message=text) | EditComment(message=text):
            return _line("comment", text, COMMENT_LIMIT, needed=True)
        case ChangeResolvedReason(reason=text):
            return _line("resolved_reason", text, RESOLVED_REASON_LIMIT, needed=True)
        case ChangeAttributes(attributes=said):
            return attributes(said)
        case AssignCase(assignee_id=who):
            return assignee(who)
        case ChangeDueDate(due_date=str(due)) if not _is_date(due):
            return reject("case.due_date_invalid", "a due date is an ISO date, like 2030-01-31", field="due_date")
        case _:
            return None


def title(text: Sealed) -> Rejected | None:
    return _line("title", text, TITLE_LIMIT, needed=True)


def description(text: Sealed) -> Rejected | None:
    return _line("description", text, DESCRIPTION_LIMIT, needed=False)


def assignee(who: str | None) -> Rejected | None:
    if who is not None and len(who) > ID_LIMIT:
        return reject("case.assignee_too_long", f"over the limit `id` of {ID_LIMIT} characters", field="assignee_id")
    return None


def attributes(said: Mapping[str, tuple[str, ...]]) -> Rejected | None:
    # A name without values counts as one, or there could be any number of them.
    if sum(max(len(values), 1) for values in said.values()) > TAGS_LIMIT:
        detail = f"over the limit `tags` of {TAGS_LIMIT} values in all"
        return reject("case.too_many_tags", detail, field="attributes")
    if any(len(text) > TAG_LIMIT for name, values in said.items() for text in (name, *values)):
        detail = f"over the limit `tag` of {TAG_LIMIT} characters in a name or a value"
        return reject("case.tag_too_long", detail, field="attributes")
    if sum(map(_size, said.items())) > TAGS_BYTES:
        return reject("case.tags_too_large", f"over the limit `tags` of {TAGS_BYTES} bytes in all", field="attributes")
    return None


def fit(facts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return facts as attributes, cut to the limits: a trigger must not be lost over its labels."""
    fitted: dict[str, tuple[str, ...]] = {}
    left = TAGS_BYTES
    for name, value in facts.items():
        (key, key_size), (text, text_size) = _tag(name), _tag(value)
        if key and text and len(fitted) < TAGS_LIMIT and key_size + text_size <= left:
            fitted[key] = (text,)
            left -= key_size + text_size
    return fitted


def _tag(text: str) -> tuple[str, int]:
    """Return a name or a value as it is kept, and its size. Labels say the same again and again: short ones are remembered."""
    return _remembered_tag(text) if len(text) <= TAG_LIMIT else _fitted_tag(text)


def _fitted_tag(text: str) -> tuple[str, int]:
    kept = shorten(sanitize(text, multiline=False), TAG_LIMIT)
    return kept, len(kept.encode(errors="replace"))


_remembered_tag = lru_cache(maxsize=4096)(_fitted_tag)


def _size(attribute: tuple[str, tuple[str, ...]]) -> int:
    name, values = attribute
    return sum(len(text.encode(errors="replace")) for text in (name, *values))


def _line(field: str, text: Sealed, limit: int, *, needed: bool) -> Rejected | None:
    words = text.text
    if needed and not words.strip():
        return reject(f"case.{field}_missing", "this text may not be empty", field=field)
    if text.longer_than(limit):
        detail = f"over the limit `{field}` of {limit} characters"
        return reject(f"case.{field}_too_long", detail, field=field)
    return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == _DATE_LENGTH
