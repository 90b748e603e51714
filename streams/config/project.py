"""Tenants and what they own besides cases. These fields are the stored format: change them with care."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from streams.text import Sealed


class TenantKind(StrEnum):
    ONCALL = "oncall"
    CASE_MANAGEMENT = "case_management"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    tenant_id: str
    version: int
    name: Sealed
    kind: TenantKind
    created_at: int


class CredentialKind(StrEnum):
    API_KEY = "api_key"
    APPLICATION_KEY = "application_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key that lets somebody in. digest: sha256 of the key, hex; the key itself is never stored. owner: the user
    that an application key acts for.
    """

    credential_id: str
    version: int
    kind: CredentialKind
    digest: str
    owner: str
    name: Sealed
    created_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingKey:
    """A key that lets alerts in, and the project that they go to. digest: sha256 of the key, hex."""

    routing_id: str
    version: int
    digest: str
    project_id: str
    project_key: str
    created_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A place for cases. `key` is unique among a tenant's live projects and never changes. settings,
    columns_config: JSON objects as text, empty where never set.
    """

    project_id: str
    version: int
    key: str
    name: Sealed
    team_uuid: str | None = None
    enabled_custom_case_types: tuple[str, ...] = ()
    restricted: bool = False
    settings: str = ""
    columns_config: str = ""
    created_at: int
    modified_at: int | None = None
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenName:
    """Which object has a name that only one may have."""

    object_id: str
