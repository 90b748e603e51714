"""Projects, and what belongs to them: alert rules and routing keys."""

from __future__ import annotations

from infra.runtime.auth import Caller
from infra.runtime.problems import problem
from query_api.readers import Readers
from sinks.postgres import reads
from sinks.postgres.reads import Row


async def list_projects(readers: Readers, caller: Caller) -> list[Row]:
    async with readers.db.tenant(caller.tenant_id) as connection:
        return await reads.projects(connection)


async def get_project(readers: Readers, caller: Caller, name: str) -> Row:
    """Return a live project by id or key. Problem 404 "project.not_found"."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        found = await reads.project(connection, name)
    if found is None:
        raise problem(404, "project.not_found", f"there is no project {name[:64]}", field="project_id")
    return found


async def list_rules(readers: Readers, caller: Caller, project: str | None) -> list[Row]:
    """Return the alert rules of a project, or of all. Problem 404 for a project that is not there."""
    project_id = None if project is None else (await get_project(readers, caller, project))["project_id"]
    async with readers.db.tenant(caller.tenant_id) as connection:
        return await reads.rules(connection, project_id)


async def get_rule(readers: Readers, caller: Caller, rule_id: str) -> Row:
    """Return a live alert rule. Problem 404 "rule.not_found"."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        found = await reads.rule(connection, rule_id)
    if found is None:
        raise problem(404, "rule.not_found", f"there is no alert rule {rule_id[:64]}", field="rule_id")
    return found


async def list_routing_keys(readers: Readers, caller: Caller) -> list[Row]:
    """Return where alerts are let in. The keys themselves are known to nobody but their holders."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        return await reads.routing_keys(connection)
