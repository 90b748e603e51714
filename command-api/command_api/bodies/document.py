"""JSON:API documents: `{"data": {"type", "attributes", "relationships"}}`. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T")

# Who calls is decided by his keys; a tenant that a body names says nothing and is no reason to refuse.
_IGNORED: Final = frozenset({"tenant_id", "org_id"})


class Fields(BaseModel):
    """An object of which every field is known: another one is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Attributes(Fields):
    """The attributes, or the relationships, of a resource. A field is refused that is not known and names no tenant."""

    @model_validator(mode="before")
    @classmethod
    def _without_tenant(cls, document: Any) -> Any:
        if not isinstance(document, dict):
            return document
        return {name: value for name, value in document.items() if name not in _IGNORED}


class Resource(BaseModel):
    """What stands under `data`. Members that JSON:API or others add around what is asked are let be."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Document(BaseModel, Generic[T]):
    """A whole body."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    data: T


def _uuid(text: str) -> str:
    # UUID() takes braces, URNs and bare digits too, which no answer of ours ever shows.
    try:
        found = UUID(text) if len(text) == 36 else None
    except ValueError:
        found = None
    if found is None:
        raise PydanticCustomError("not_a_uuid", "must be a UUID")
    return str(found)


Uuid = Annotated[str, AfterValidator(_uuid)]
"""A UUID in its usual form; in lower case afterwards."""


class UserIdentifier(Fields):
    type: Literal["user"]
    id: Uuid


class ProjectIdentifier(Fields):
    """id: the project's id or its key."""

    type: Literal["project"]
    id: str


class ToUser(Fields):
    """data: None for nobody."""

    data: UserIdentifier | None


class ToProject(Fields):
    data: ProjectIdentifier
