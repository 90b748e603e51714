"""`/subjects`, `/config`, `/mode`: which schemas there are under which names. Every write is refused."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.requests import Request

from infra.runtime.http import read_json
from query_api.registry.endpoint import Refusal, no_schema, no_subject, no_version, read_only
from schemas import subjects
from schemas.subjects import InvalidSchema, Registered

BODY_LIMIT = 256_000


async def list_subjects(request: Request) -> list[str]:
    """GET /subjects: those that begin with `subjectPrefix`."""
    prefix = request.query_params.get("subjectPrefix", "")
    return [name for name in subjects.subjects() if name.startswith(prefix)]


async def list_subject_versions(request: Request) -> list[int]:
    """GET /subjects/{subject}/versions."""
    return [held.version for held in _subject(request)]


async def get_subject_version(request: Request) -> dict[str, Any]:
    """GET /subjects/{subject}/versions/{version}: a number, or "latest"."""
    return _document(_version(request))


async def get_subject_schema(request: Request) -> Any:
    """GET /subjects/{subject}/versions/{version}/schema: the schema itself."""
    return json.loads(_version(request).text)


async def list_references(request: Request) -> list[int]:
    """GET /subjects/{subject}/versions/{version}/referencedby: none, each schema is whole."""
    _version(request)
    return []


async def lookup_schema(request: Request) -> dict[str, Any]:
    """POST /subjects/{subject}: which version of it the body's schema is."""
    _subject(request)
    found = await _looked_up(request)
    if found is None:
        raise no_schema()
    return _document(found)


async def register_schema(request: Request) -> dict[str, Any]:
    """POST /subjects/{subject}/versions: the id of a schema that is there, so that serializers which register what they
    write work; any other is refused.
    """
    found = await _looked_up(request)
    if found is None:
        raise read_only()
    return {"id": found.schema_id}


async def get_compatibility(_request: Request) -> dict[str, Any]:
    """GET /config."""
    return {"compatibilityLevel": subjects.COMPATIBILITY}


async def get_subject_compatibility(request: Request) -> dict[str, Any]:
    """GET /config/{subject}: no subject has a level of its own; the one that holds comes with `defaultToGlobal=true`."""
    if not _global(request):
        subject = request.path_params["subject"][:200]
        raise Refusal(40408, f"Subject '{subject}' does not have subject-level compatibility configured")
    return {"compatibilityLevel": subjects.COMPATIBILITY}


async def get_registry_mode(_request: Request) -> dict[str, Any]:
    """GET /mode."""
    return {"mode": "READONLY"}


async def get_subject_mode(request: Request) -> dict[str, Any]:
    """GET /mode/{subject}: as with /config."""
    if not _global(request):
        raise Refusal(
            40409, f"Subject '{request.path_params['subject'][:200]}' does not have subject-level mode configured"
        )
    return {"mode": "READONLY"}


async def list_contexts(_request: Request) -> list[str]:
    """GET /contexts: the default one."""
    return ["."]


async def refuse_registry_write(_request: Request) -> NoReturn:
    """Whatever else would change something."""
    raise read_only()


def _global(request: Request) -> bool:
    return request.query_params.get("defaultToGlobal", "").lower() == "true"


def _subject(request: Request) -> list[Registered]:
    name: str = request.path_params["subject"]
    found = subjects.versions(name)
    if not found:
        raise no_subject(name)
    return found


def _version(request: Request) -> Registered:
    found, given = _subject(request), request.path_params["version"]
    # -1 is how some clients write it.
    if given in {"latest", "-1"}:
        return found[-1]
    if not (given.isascii() and given.isdecimal() and len(given) < 11 and 0 < int(given) < 2**31):
        message = f"The specified version '{given[:40]}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
        raise Refusal(42202, message)
    held = next((held for held in found if held.version == int(given)), None)
    if held is None:
        raise no_version(given)
    return held


async def _looked_up(request: Request) -> Registered | None:
    """Look up the body's schema. What else clients send (references, metadata, rules) no schema here has."""
    document = await read_json(request, BODY_LIMIT)
    match document:
        case {"schemaType": str(kind)} if kind != "AVRO":
            raise Refusal(42201, f"Invalid schema: its type is {kind[:40]}, all here are AVRO")
        case {"schema": str(text)}:
            try:
                return subjects.lookup(request.path_params["subject"], text)
            except InvalidSchema as error:
                raise Refusal(42201, f"Invalid schema: {str(error)[:300]}") from None
        case _:
            raise Refusal(42201, "Invalid schema: the body is not an object whose `schema` is a text")


def _document(held: Registered) -> dict[str, Any]:
    return {"subject": held.subject, "version": held.version, "id": held.schema_id, "schema": held.text}
