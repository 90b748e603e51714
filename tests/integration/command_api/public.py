"""The public client, pointed at the stack under test; and what must hold of everything that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.model_utils import OpenApiModel, UnparsedObject
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.case import Case
from datadog_api_client.v2.model.case_create import CaseCreate
from datadog_api_client.v2.model.case_create_attributes import CaseCreateAttributes
from datadog_api_client.v2.model.case_create_relationships import CaseCreateRelationships
from datadog_api_client.v2.model.case_create_request import CaseCreateRequest
from datadog_api_client.v2.model.case_resource_type import CaseResourceType
from datadog_api_client.v2.model.project_relationship import ProjectRelationship
from datadog_api_client.v2.model.project_relationship_data import ProjectRelationshipData
from datadog_api_client.v2.model.project_resource_type import ProjectResourceType

from tests.stack import Stack

STANDARD = "00000000-0000-0000-0000-000000000001"
CASE = CaseResourceType.CASE
PROJECT = ProjectResourceType.PROJECT
M = TypeVar("M")


@contextmanager
def public_client(stack: Stack, tenant: int) -> Iterator[CaseManagementApi]:
    """The client as its users make it."""
    configuration: Any = Configuration(host=stack.http)  # type: ignore[no-untyped-call]
    configuration.api_key["apiKeyAuth"] = stack.tenants[tenant]["api_key"]
    configuration.api_key["appKeyAuth"] = stack.tenants[tenant]["application_key"]
    with ApiClient(configuration) as client:
        yield CaseManagementApi(client)  # type: ignore[no-untyped-call]


def answered(api: CaseManagementApi, write: Callable[..., Any], *given: Any) -> tuple[Any, int, Any]:
    """What a call answers, with its status and headers."""
    api.api_client.configuration.return_http_data_only = False
    try:
        answer, status, headers = write(*given)
    finally:
        api.api_client.configuration.return_http_data_only = True
    return whole(answer), status, headers


def whole(answer: M) -> M:
    """The answer, of which nothing was left unparsed at any depth."""
    left = list(unparsed(answer, "answer"))
    assert left == []
    return answer


def unparsed(value: Any, where: str) -> Iterator[str]:
    """The places that the client could not read."""
    if isinstance(value, UnparsedObject):
        yield where
        return
    if isinstance(value, OpenApiModel):
        if getattr(value, "_unparsed", False):
            yield where
        # Simple models hold one value, composed ones what they were read as.
        inner = getattr(value, "_data_store", None)
        for name, part in (inner or {}).items():
            yield from unparsed(part, f"{where}.{name}")
        one_of = getattr(value, "_composed_instances", None)
        for n, part in enumerate(one_of or ()):
            yield from unparsed(part, f"{where}|{n}")
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from unparsed(part, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for n, part in enumerate(value):
            yield from unparsed(part, f"{where}[{n}]")


def in_project(project_id: str) -> ProjectRelationship:
    return ProjectRelationship(data=ProjectRelationshipData(id=project_id, type=PROJECT))


def new_case(project_id: str, title: str, **attributes: Any) -> CaseCreateRequest:
    """The body that creates a case."""
    return CaseCreateRequest(
        data=CaseCreate(
            attributes=CaseCreateAttributes(title=title, type_id=STANDARD, **attributes),
            relationships=CaseCreateRelationships(project=in_project(project_id)),
            type=CASE,
        )
    )


def created(api: CaseManagementApi, project_id: str, title: str = "Disk full", **attributes: Any) -> Case:
    """A new case."""
    case: Case = whole(api.create_case(new_case(project_id, title, **attributes))).data
    return case
