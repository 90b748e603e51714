"""`/schemas`: by the id that a record begins with, which is all that a deserializer needs."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from query_api.registry.endpoint import no_schema
from schemas import subjects

_LARGEST = 2**31 - 1


async def list_schema_types(_request: Request) -> list[str]:
    """GET /schemas/types."""
    return ["AVRO"]


async def get_schema(request: Request) -> dict[str, Any]:
    """GET /schemas/ids/{id}. `format` and `subject` change nothing: no schema refers to another, and ids are unique."""
    return {"schema": _text(request)}


async def get_schema_text(request: Request) -> Any:
    """GET /schemas/ids/{id}/schema: the schema itself."""
    return json.loads(_text(request))


async def list_schema_subjects(request: Request) -> list[str]:
    """GET /schemas/ids/{id}/subjects."""
    _text(request)
    return [held.subject for held in subjects.uses(_id(request))]


async def list_schema_versions(request: Request) -> list[dict[str, Any]]:
    """GET /schemas/ids/{id}/versions: each subject that has it, and as which version."""
    _text(request)
    return [{"subject": held.subject, "version": held.version} for held in subjects.uses(_id(request))]


def _id(request: Request) -> int:
    given: str = request.path_params["id"]
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 11 else 0
    if not 0 < number <= _LARGEST:
        raise no_schema(f"Schema {given[:40]} not found")
    return number


def _text(request: Request) -> str:
    number = _id(request)
    text = subjects.text(number)
    if text is None:
        raise no_schema(f"Schema {number} not found")
    return text
