"""What happened to configuration. Each carries `after`, the object at this version. Names are the stored format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRegistered:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialIssued:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRevoked:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingKeyBound:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingKeyRevoked:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCreated:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUpdated:
    """changed: the names of the fields that are new."""

    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDeleted:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCreated:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReplaced:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDeleted:
    pass


ConfigEvent: TypeAlias = (
    TenantRegistered
    | CredentialIssued
    | CredentialRevoked
    | RoutingKeyBound
    | RoutingKeyRevoked
    | ProjectCreated
    | ProjectUpdated
    | ProjectDeleted
    | RuleCreated
    | RuleReplaced
    | RuleDeleted
)
