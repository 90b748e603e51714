"""Every path of the registry. They stand at the root, as tools that take a registry's URL expect."""

from __future__ import annotations

from typing import Final

from starlette.routing import BaseRoute

from query_api.registry import schemas, subjects
from query_api.registry.endpoint import Handler, endpoint

_SUBJECT: Final = "/subjects/{subject}"
_VERSION: Final = f"{_SUBJECT}/versions/{{version}}"

PATHS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/schemas/types", schemas.list_schema_types),
    ("GET", "/schemas/ids/{id}", schemas.get_schema),
    ("GET", "/schemas/ids/{id}/schema", schemas.get_schema_text),
    ("GET", "/schemas/ids/{id}/subjects", schemas.list_schema_subjects),
    ("GET", "/schemas/ids/{id}/versions", schemas.list_schema_versions),
    ("GET", "/subjects", subjects.list_subjects),
    ("POST", _SUBJECT, subjects.lookup_schema),
    ("DELETE", _SUBJECT, subjects.refuse_registry_write),
    ("GET", f"{_SUBJECT}/versions", subjects.list_subject_versions),
    ("POST", f"{_SUBJECT}/versions", subjects.register_schema),
    ("GET", _VERSION, subjects.get_subject_version),
    ("DELETE", _VERSION, subjects.refuse_registry_write),
    ("GET", f"{_VERSION}/schema", subjects.get_subject_schema),
    ("GET", f"{_VERSION}/referencedby", subjects.list_references),
    ("GET", "/config", subjects.get_compatibility),
    ("PUT", "/config", subjects.refuse_registry_write),
    ("GET", "/config/{subject}", subjects.get_subject_compatibility),
    ("PUT", "/config/{subject}", subjects.refuse_registry_write),
    ("GET", "/mode", subjects.get_registry_mode),
    ("PUT", "/mode", subjects.refuse_registry_write),
    ("GET", "/mode/{subject}", subjects.get_subject_mode),
    ("PUT", "/mode/{subject}", subjects.refuse_registry_write),
    ("GET", "/contexts", subjects.list_contexts),
)


def routes() -> list[BaseRoute]:
    """Return the routes. They need nothing: schemas come with the program."""
    return [endpoint(method, path, handler) for method, path, handler in PATHS]
