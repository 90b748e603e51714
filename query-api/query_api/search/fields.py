"""What can be searched by name: which field of the index it is, and what its values mean. All other names are attributes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from streams.cases.case import STANDARD_TYPE, Priority, Status


class Kind(StrEnum):
    """How the values of a field are matched."""

    WORD = "word"
    """A name, whole, in upper or lower case."""
    CHOICE = "choice"
    """One of the field's values."""
    WORDS = "words"
    """Text, word by word."""
    TIME = "time"
    DAY = "day"
    NUMBER = "number"
    ACTOR = "actor"
    """A user, an integration or a system, with or without saying which."""
    FLAG = "flag"
    """Whether the indexed field has any value."""
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """index: the field in Elasticsearch. values: of a choice, how they are written to what is indexed."""

    kind: Kind
    index: str
    values: dict[str, str] | None = None


def _choice(index: str, *values: str, **aliases: str) -> Field:
    return Field(kind=Kind.CHOICE, index=index, values={**{v.lower(): v for v in values}, **aliases})


_GROUPS: Final = tuple(f"SG_{status}" for status in Status)

FIELDS: Final[dict[str, Field]] = {
    "status": _choice("status", *Status),
    "status_group": _choice("status_group", *_GROUPS, **{status.lower(): f"SG_{status}" for status in Status}),
    "status_name": Field(kind=Kind.WORD, index="status_name"),
    "priority": _choice("priority", *Priority, none=Priority.NOT_DEFINED),
    "type": _choice("type_id", STANDARD_TYPE, standard=STANDARD_TYPE),
    "type_id": Field(kind=Kind.WORD, index="type_id"),
    "project": Field(kind=Kind.WORD, index="project_key"),
    "project_id": Field(kind=Kind.WORD, index="project_id"),
    "assignee": Field(kind=Kind.WORD, index="assignee_id"),
    "assignee_id": Field(kind=Kind.WORD, index="assignee_id"),
    "created_by": Field(kind=Kind.ACTOR, index="created_by"),
    "creator": Field(kind=Kind.ACTOR, index="created_by"),
    "modified_by": Field(kind=Kind.ACTOR, index="modified_by"),
    "id": Field(kind=Kind.WORD, index="case_id"),
    "key": Field(kind=Kind.WORD, index="key"),
    "number": Field(kind=Kind.NUMBER, index="number"),
    "version": Field(kind=Kind.NUMBER, index="version"),
    "comments": Field(kind=Kind.NUMBER, index="comments"),
    "title": Field(kind=Kind.WORDS, index="title"),
    "description": Field(kind=Kind.WORDS, index="description"),
    "resolved_reason": Field(kind=Kind.WORDS, index="resolved_reason.words"),
    "alert": Field(kind=Kind.WORD, index="alerts"),
    "created_at": Field(kind=Kind.TIME, index="created_at"),
    "modified_at": Field(kind=Kind.TIME, index="modified_at"),
    "closed_at": Field(kind=Kind.TIME, index="closed_at"),
    "archived_at": Field(kind=Kind.TIME, index="archived_at"),
    "due_date": Field(kind=Kind.DAY, index="due_date"),
    "archived": Field(kind=Kind.FLAG, index="archived_at"),
}
"""By name, in small letters. `created`, `modified`, `closed` and `due` are short for the times."""

ALIASES: Final = {
    "created": "created_at",
    "modified": "modified_at",
    "updated_at": "modified_at",
    "closed": "closed_at",
    "due": "due_date",
}

EVERYWHERE: Final = ("title^3", "description", "attribute_values", "resolved_reason.words")
"""Where a value without a field is looked for, besides the key."""

_PREFIXES: Final = ("attributes.", "@")
_ATTRIBUTE: Final = re.compile(r"[^\s*?\x00]{1,128}")


def field_of(name: str) -> Field | None:
    """Return the field that a name means: `attributes.NAME` and `@NAME` always mean the attribute. None: no such name."""
    known = name.lower()
    field = FIELDS.get(ALIASES.get(known, known))
    if field is not None:
        return field
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return Field(kind=Kind.ATTRIBUTE, index=f"attributes.{name}") if _ATTRIBUTE.fullmatch(name) else None
