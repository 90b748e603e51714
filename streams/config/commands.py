"""What can be asked of configuration. Names and fields are the stored format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from streams.config.project import CredentialKind, TenantKind
from streams.config.rule import Condition, RuleKind
from streams.text import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTenant:
    name: Sealed
    kind: TenantKind


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCredential:
    """digest: sha256 of the key, hex."""

    kind: CredentialKind
    digest: str
    owner: str
    name: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCredential:
    credential_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BindRoutingKey:
    digest: str
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRoutingKey:
    routing_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProject:
    key: str
    name: Sealed
    team_uuid: str | None = None
    enabled_custom_case_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProject:
    """None leaves a field as it is. settings and columns_config: JSON objects as text."""

    project_id: str
    name: Sealed | None = None
    team_uuid: str | None = None
    enabled_custom_case_types: tuple[str, ...] | None = None
    settings: str | None = None
    columns_config: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProject:
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRule:
    project_id: str
    name: str
    kind: RuleKind
    enabled: bool = True
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    window: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceRule:
    rule_id: str
    name: str
    enabled: bool = True
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    window: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRule:
    rule_id: str


ConfigCommand: TypeAlias = (
    RegisterTenant
    | IssueCredential
    | RevokeCredential
    | BindRoutingKey
    | RevokeRoutingKey
    | CreateProject
    | UpdateProject
    | DeleteProject
    | CreateRule
    | ReplaceRule
    | DeleteRule
)
