"""Bodies about projects, as the public client writes them (`ProjectCreateRequest`, `ProjectUpdateRequest`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from command_api.bodies.document import Attributes, Document, Resource, Uuid
from command_api.bodies.project_settings import Columns, Settings


class NewAttributes(Attributes):
    key: str
    name: str
    team_uuid: Uuid | None = None
    enabled_custom_case_types: list[Uuid] = Field(default_factory=list)


class NewResource(Resource):
    type: Literal["project"]
    attributes: NewAttributes


class ChangedAttributes(Attributes):
    """What is left out stays as it is. settings and columns_config are replaced whole."""

    name: str | None = None
    team_uuid: Uuid | None = None
    enabled_custom_case_types: list[Uuid] | None = None
    settings: Settings | None = None
    columns_config: Columns | None = None


class ChangedResource(Resource):
    type: Literal["project"]
    attributes: ChangedAttributes = Field(default_factory=ChangedAttributes)


NewBody = Document[NewResource]
ChangedBody = Document[ChangedResource]
