"""Every path of the query API. Names that are words come before ids, which may be anything."""

from __future__ import annotations

from typing import Final

from starlette.routing import BaseRoute

from infra.runtime.services import Services
from query_api.readers import Readers
from query_api.registry import routes as registry
from query_api.rest import alerts, cases, counts, live, projects
from query_api.rest.endpoint import Handler, endpoint

READS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/api/v2/cases", cases.search_cases),
    ("GET", "/api/v2/cases/count", counts.count_cases),
    ("POST", "/api/v2/cases/aggregate", counts.aggregate_cases),
    ("GET", "/api/v2/cases/facets", counts.case_facets),
    ("GET", "/api/v2/cases/autocomplete", counts.autocomplete_cases),
    ("GET", "/api/v2/cases/stream", live.stream_cases),
    ("GET", "/api/v2/cases/projects", projects.get_projects),
    ("GET", "/api/v2/cases/projects/{project_id}", projects.get_project),
    ("GET", "/api/v2/cases/{case_id}", cases.get_case),
    ("GET", "/api/v2/cases/{case_id}/timelines", cases.list_case_timeline),
    ("GET", "/api/v2/cases/{case_id}/activity", cases.list_case_activity),
    ("GET", "/api/v2/alert-rules", projects.list_alert_rules),
    ("GET", "/api/v2/alert-rules/{rule_id}", projects.get_alert_rule),
    ("GET", "/api/v2/routing-keys", projects.list_routing_keys),
    ("GET", "/api/v2/alerts", alerts.list_alerts),
    ("GET", "/api/v2/alerts/{alert_id:path}", alerts.get_alert),
    ("GET", "/api/v2/signals/{signal_id}", alerts.get_signal),
)
"""Method, path, handler. The tests ask each of them for another tenant's things."""


def routes(services: Services, readers: Readers | None = None) -> list[BaseRoute]:
    """Return the routes. readers: where the process has them already, for gRPC."""
    shared = Readers.of(services) if readers is None else readers
    reads = [endpoint(path, shared, handler, method=method) for method, path, handler in READS]
    return [*reads, *registry.routes()]
