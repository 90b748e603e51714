"""A project's settings and columns, in all their depth as the public client types them. What is kept here is answered
as it is, so nothing may get in that the client cannot read.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from command_api.bodies.document import Fields


class AutoClose(Fields):
    enabled: bool | None = None
    max_inactive_time_in_secs: int | None = None


class AutoTransition(Fields):
    auto_transition_assigned_cases_on_self_assigned: bool | None = None


class Enabled(Fields):
    enabled: bool | None = None


class FieldMapping(Fields):
    case_field: str | None = None
    incident_user_defined_field_id: str | None = None


class SeverityConfig(Fields):
    priority_mapping: dict[str, str] | None = None


class Incident(Fields):
    auto_escalation_query: str | None = None
    default_incident_commander: str | None = None
    enabled: bool | None = None
    field_mappings: list[FieldMapping] | None = None
    incident_type: str | None = None
    severity_config: SeverityConfig | None = None


class Sync(Fields):
    sync_type: str | None = None


class MappedSync(Sync):
    mapping: dict[str, str] | None = None
    name_mapping: dict[str, str] | None = None


class JiraCustomField(Sync):
    value: Any = None


class JiraDueDate(Sync):
    jira_field_id: str | None = None


class JiraProperties(Fields):
    assignee: Sync | None = None
    comments: Sync | None = None
    custom_fields: dict[str, JiraCustomField] | None = None
    description: Sync | None = None
    due_date: JiraDueDate | None = None
    priority: MappedSync | None = None
    status: MappedSync | None = None
    title: Sync | None = None


class JiraSync(Fields):
    enabled: bool | None = None
    properties: JiraProperties | None = None


class JiraMetadata(Fields):
    account_id: str | None = None
    issue_type_id: str | None = None
    project_id: str | None = None


class Jira(Fields):
    auto_creation: Enabled | None = None
    enabled: bool | None = None
    metadata: JiraMetadata | None = None
    sync: JiraSync | None = None


class Monitor(Fields):
    auto_resolve_enabled: bool | None = None
    case_type_id: str | None = None
    enabled: bool | None = None
    handle: str | None = None


class EscalationTarget(Fields):
    dynamic_team_paging: bool | None = None
    team_id: str | None = None
    user_id: str | None = None


class EscalationQuery(Fields):
    enabled: bool | None = None
    id: str | None = None
    query: str | None = None
    target: EscalationTarget | None = None


class OnCall(Fields):
    auto_assign_on_call: bool | None = None
    enabled: bool | None = None
    escalation_queries: list[EscalationQuery] | None = None


class ServiceNowPriority(Sync):
    impact_mapping: dict[str, str] | None = None
    urgency_mapping: dict[str, str] | None = None


class ServiceNowProperties(Fields):
    comments: Sync | None = None
    priority: ServiceNowPriority | None = None
    status: MappedSync | None = None


class ServiceNowSync(Fields):
    enabled: bool | None = None
    properties: ServiceNowProperties | None = None


class ServiceNow(Fields):
    assignment_group: str | None = None
    auto_creation: Enabled | None = None
    enabled: bool | None = None
    instance_name: str | None = None
    sync_config: ServiceNowSync | None = None


class Notification(Fields):
    destinations: list[int] | None = None
    enabled: bool | None = None
    notify_on_case_assignment: bool | None = None
    notify_on_case_closed: bool | None = None
    notify_on_case_comment: bool | None = None
    notify_on_case_comment_mention: bool | None = None
    notify_on_case_priority_change: bool | None = None
    notify_on_case_status_change: bool | None = None
    notify_on_case_unassignment: bool | None = None


class Settings(Fields):
    auto_close_inactive_cases: AutoClose | None = None
    auto_transition_assigned_cases: AutoTransition | None = None
    integration_incident: Incident | None = None
    integration_jira: Jira | None = None
    integration_monitor: Monitor | None = None
    integration_on_call: OnCall | None = None
    integration_service_now: ServiceNow | None = None
    notification: Notification | None = None


class ColumnSort(Fields):
    ascending: bool | None = None
    priority: int | None = None


class Column(Fields):
    sort: ColumnSort | None = None
    sort_field: str | None = None
    type: str | None = None


class Columns(Fields):
    columns: list[Column] = Field(default_factory=list)
