"""Configuration on its way to the stages that need it, into every partition of their topics."""

from __future__ import annotations

from dataclasses import dataclass

from streams.config.project import Project
from streams.config.rule import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChanged:
    """A project as it is now; `deleted_at` says that it is gone."""

    project: Project

    @staticmethod
    def key_of(tenant_id: str, project_key: str) -> str:
        return f"{tenant_id}|project/{project_key}"

    def row_key(self, tenant_id: str) -> str:
        return self.key_of(tenant_id, self.project.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChanged:
    """All live rules of one project as they are now."""

    rules: Rules

    @staticmethod
    def key_of(tenant_id: str, project_key: str) -> str:
        return f"{tenant_id}|rules/{project_key}"

    def row_key(self, tenant_id: str) -> str:
        return self.key_of(tenant_id, self.rules.project_key)
