"""The body that asks for a routing key."""

from __future__ import annotations

from typing import Literal

from command_api.bodies.document import Attributes, Document, Resource, Uuid


class NewAttributes(Attributes):
    project_id: Uuid


class NewResource(Resource):
    type: Literal["routing_key"]
    attributes: NewAttributes


NewBody = Document[NewResource]
