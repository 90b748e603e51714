"""Bodies about alert rules: which alerts to suppress, which to join to one case."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from command_api.bodies.document import Attributes, Document, Fields, Resource, Uuid
from streams.config.rule import Operator, RuleKind

KindText = Annotated[RuleKind, Field(strict=False)]


class ConditionFields(Fields):
    field: str
    operator: Annotated[Operator, Field(strict=False)]
    value: str = ""


class _Changeable(Attributes):
    name: str
    enabled: bool = True
    conditions: list[ConditionFields] = Field(default_factory=list)
    group_by: list[str] = Field(default_factory=list)
    window_seconds: int | None = None


class NewAttributes(_Changeable):
    project_id: Uuid
    kind: KindText


class ReplacedAttributes(_Changeable):
    """project_id and kind are fixed; they may be said again."""

    project_id: Uuid | None = None
    kind: KindText | None = None


class NewResource(Resource):
    type: Literal["alert_rule"]
    attributes: NewAttributes


class ReplacedResource(Resource):
    type: Literal["alert_rule"]
    attributes: ReplacedAttributes


NewBody = Document[NewResource]
ReplacedBody = Document[ReplacedResource]
