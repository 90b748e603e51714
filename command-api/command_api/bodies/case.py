"""Bodies about cases, as the public client writes them (`CaseCreateRequest`, `CaseUpdateTitleRequest`, ...)."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from command_api.bodies.document import Attributes, Document, Fields, Resource, ToProject, ToUser, Uuid
from streams.cases.case import Priority, Status

A = TypeVar("A", bound=Attributes)

# An enumeration is text on the wire.
PriorityText = Annotated[Priority, Field(strict=False)]
StatusText = Annotated[Status, Field(strict=False)]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _date(text: str | None) -> str | None:
    if not text:
        return None
    if _DATE.fullmatch(text) is not None:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            pass
    raise PydanticCustomError("not_a_date", "must be a date, YYYY-MM-DD, or null for none")


class CaseOnly(Resource):
    """Says nothing but that it is about a case: archive, unarchive, unassign."""

    type: Literal["case"]


class CaseResource(CaseOnly, Generic[A]):
    attributes: A


class CustomAttribute(Fields):
    type: Literal["TEXT", "NUMBER", "URL", "SELECT"]
    is_multi: bool
    value: str | float | list[str] | list[float]


class NewAttributes(Attributes):
    title: str
    type_id: str
    description: str | None = None
    priority: PriorityText = Priority.NOT_DEFINED
    status_name: str | None = None
    custom_attributes: dict[str, CustomAttribute] = Field(default_factory=dict)


class NewRelationships(Attributes):
    project: ToProject
    assignee: ToUser | None = None


class NewResource(CaseResource[NewAttributes]):
    relationships: NewRelationships


class TitleAttributes(Attributes):
    title: str


class DescriptionAttributes(Attributes):
    description: str


class StatusAttributes(Attributes):
    """Either will do; where both are given they must mean the same."""

    status: StatusText | None = None
    status_name: str | None = None


class PriorityAttributes(Attributes):
    priority: PriorityText


class AssigneeAttributes(Attributes):
    assignee_id: Uuid


class TagAttributes(Attributes):
    attributes: dict[str, list[str]]


class CommentAttributes(Attributes):
    comment: str


class DueDateAttributes(Attributes):
    """due_date: None, or the empty text, for none. The field itself is needed."""

    due_date: Annotated[str | None, AfterValidator(_date)]


class ReasonAttributes(Attributes):
    security_resolved_reason: str


CaseOnlyBody = Document[CaseOnly]
NewBody = Document[NewResource]
TitleBody = Document[CaseResource[TitleAttributes]]
DescriptionBody = Document[CaseResource[DescriptionAttributes]]
StatusBody = Document[CaseResource[StatusAttributes]]
PriorityBody = Document[CaseResource[PriorityAttributes]]
AssigneeBody = Document[CaseResource[AssigneeAttributes]]
TagBody = Document[CaseResource[TagAttributes]]
CommentBody = Document[CaseResource[CommentAttributes]]
DueDateBody = Document[CaseResource[DueDateAttributes]]
ReasonBody = Document[CaseResource[ReasonAttributes]]
