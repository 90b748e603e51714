"""Every path of the command API."""

from __future__ import annotations

from starlette.routing import BaseRoute

from command_api.rest import alert_rules, cases, comments, projects, routing_keys
from command_api.rest.endpoint import Handler, route
from infra.runtime.services import Services


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes. The query API has others at the same paths: a router takes those whose method fits."""
    return [route(services, method, path, handler) for method, path, handler in _TABLE]


_CASE = "/api/v2/cases/{case_id}"
_PROJECT = "/api/v2/cases/projects/{project_id}"

_TABLE: list[tuple[str, str, Handler]] = [
    ("POST", "/api/v2/cases/projects", projects.create_project),
    ("PATCH", _PROJECT, projects.update_project),
    ("DELETE", _PROJECT, projects.delete_project),
    ("POST", "/api/v2/cases", cases.create_case),
    ("POST", f"{_CASE}/title", cases.update_case_title),
    ("POST", f"{_CASE}/description", cases.update_case_description),
    ("POST", f"{_CASE}/status", cases.update_status),
    ("POST", f"{_CASE}/priority", cases.update_priority),
    ("POST", f"{_CASE}/assign", cases.assign_case),
    ("POST", f"{_CASE}/unassign", cases.unassign_case),
    ("POST", f"{_CASE}/attributes", cases.update_attributes),
    ("POST", f"{_CASE}/archive", cases.archive_case),
    ("POST", f"{_CASE}/unarchive", cases.unarchive_case),
    ("POST", f"{_CASE}/due_date", cases.update_case_due_date),
    ("POST", f"{_CASE}/resolved_reason", cases.update_case_resolved_reason),
    ("POST", f"{_CASE}/comment", comments.comment_case),
    ("PUT", f"{_CASE}/comment/{{cell_id}}", comments.update_case_comment),
    ("DELETE", f"{_CASE}/comment/{{cell_id}}", comments.delete_case_comment),
    ("POST", "/api/v2/alert-rules", alert_rules.create_alert_rule),
    ("PUT", "/api/v2/alert-rules/{rule_id}", alert_rules.replace_alert_rule),
    ("DELETE", "/api/v2/alert-rules/{rule_id}", alert_rules.delete_alert_rule),
    ("POST", "/api/v2/routing-keys", routing_keys.create_routing_key),
    ("DELETE", "/api/v2/routing-keys/{routing_key_id}", routing_keys.delete_routing_key),
]
