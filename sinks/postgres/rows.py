"""The rows of the views, in the order of their columns. A field is named like the parameter of the table's SQL."""

from __future__ import annotations

from typing import NamedTuple


class CaseRow(NamedTuple):
    tenant_id: str
    case_id: str
    version: int
    project_id: str
    project_key: str
    number: int
    key: str
    type_id: str
    title: str
    description: str
    status: str
    status_name: str
    priority: str
    assignee_id: str | None
    attributes: str
    resolved_reason: str | None
    due_date: str | None
    created_at: int
    created_by: str
    modified_at: int | None
    modified_by: str | None
    closed_at: int | None
    archived_at: int | None
    alerts: str
    group_key: str | None
    comments: int
    state_hash: bytes


class CaseKey(NamedTuple):
    tenant_id: str
    case_id: str


class CellRow(NamedTuple):
    """What is known of a cell from some events; None: nothing. message_version: of the event with the message."""

    tenant_id: str
    case_id: str
    cell_id: str
    version: int
    message_version: int
    author: str | None
    message: str | None
    created_at: int | None
    modified_at: int | None
    deleted_at: int | None


class ActivityRow(NamedTuple):
    tenant_id: str
    case_id: str
    version: int
    event_id: str
    kind: str
    actor: str
    occurred_at: int
    change: str
    generation: int
    partition: int
    offset: int
    correlation_id: str


class CaseVersionRow(NamedTuple):
    """state: framed, as `schemas.codec.encode_row` makes it."""

    tenant_id: str
    case_id: str
    version: int
    occurred_at: int
    state: bytes


class AlertRow(NamedTuple):
    tenant_id: str
    alert_id: str
    version: int
    project_key: str
    status: str
    episode: int
    triggers: int
    opened_at: int
    changed_at: int


class ReceiptRow(NamedTuple):
    tenant_id: str
    signal_id: str
    alert_id: str
    receipt: str
    reason: str
    case_id: str | None
    settled_at: int


class OutcomeRow(NamedTuple):
    tenant_id: str
    command_id: str
    verdict: str
    code: str | None
    detail: str | None
    field: str | None
    aggregate_id: str
    version: int | None
    topic: str
    partition: int
    offset: int
    settled_at: int


class TenantRow(NamedTuple):
    tenant_id: str
    version: int
    name: str
    kind: str
    created_at: int


class CredentialRow(NamedTuple):
    tenant_id: str
    credential_id: str
    version: int
    kind: str
    digest: str
    owner: str
    name: str
    created_at: int
    revoked_at: int | None


class RoutingKeyRow(NamedTuple):
    tenant_id: str
    routing_id: str
    version: int
    digest: str
    project_id: str
    project_key: str
    created_at: int
    revoked_at: int | None


class ProjectRow(NamedTuple):
    tenant_id: str
    project_id: str
    version: int
    key: str
    name: str
    team_uuid: str | None
    enabled_custom_case_types: str
    restricted: bool
    settings: str | None
    columns_config: str | None
    created_at: int
    modified_at: int | None
    deleted_at: int | None


class RuleRow(NamedTuple):
    tenant_id: str
    rule_id: str
    version: int
    project_id: str
    project_key: str
    name: str
    kind: str
    enabled: bool
    conditions: str
    group_by: str
    window_seconds: int | None
    created_at: int
    modified_at: int | None
    deleted_at: int | None
