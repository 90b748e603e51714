"""Stage `config`: keeps a tenant's configuration, and tells the stages that need it before anybody else."""

from __future__ import annotations

from typing import Any

from streams.config.changes import ProjectChanged, RulesChanged
from streams.config.decide import Change, Objects, decide
from streams.config.events import ProjectCreated, RuleCreated
from streams.config.project import Credential, Project, RoutingKey, TakenName, Tenant
from streams.config.rule import Rule, Rules
from streams.decision import Accepted
from streams.envelope import Envelope
from streams.frozen import replace
from streams.stage import Carried, Forward, Handled, Recorded, Rows
from streams.topics import ALERT_COMMANDS, CASE_INTAKE, CASE_REACTIONS

_NOUNS = {Tenant: "tenant", Credential: "credential", RoutingKey: "routing", Project: "project", Rule: "rule"}


class ConfigStage:
    """Rows: `tenant` guards; `tenant|NOUN/ID` an object; `tenant|project-key/KEY` a taken name;
    `tenant|rules/KEY` the rules of a project together.
    """

    def main_key(self, key: str, _envelope: Envelope, _body: Any) -> str:
        return key

    def carried(self, _envelope: Envelope, _body: Any) -> Carried | None:
        return None

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        if key != envelope.tenant_id:
            raise ValueError(f"key {key!r} is not the tenant of its envelope")
        objects = Objects(envelope.tenant_id, rows)
        decision = decide(body, objects, envelope)
        if not isinstance(decision, Accepted):
            return Handled(answer=decision)
        (change,) = decision.events
        recorded = Recorded(
            body=change.event, after=change.after, version=change.after.version, aggregate_id=change.object_id
        )
        changed, told = self.effects(objects, change)
        forwards = tuple(self._tell(envelope, topic, body) for topic, body in told)
        return Handled(events=(recorded,), rows=changed, forwards=forwards)

    def effects(
        self, objects: Objects, change: Change
    ) -> tuple[dict[str, Any], tuple[tuple[str, ProjectChanged | RulesChanged], ...]]:
        """Return the rows that a change leads to, and who is told what. It follows from the event and the rows before it."""
        changed: dict[str, Any] = {objects.key(_NOUNS[type(change.after)], change.object_id): change.after}
        told: tuple[tuple[str, ProjectChanged | RulesChanged], ...] = ()
        match change.after:
            case Project() as project:
                name = objects.key("project-key", project.key)
                if isinstance(change.event, ProjectCreated):
                    changed[name] = TakenName(object_id=project.project_id)
                elif project.deleted_at is not None:
                    changed[name] = None
                this = ProjectChanged(project=project)
                told = tuple((topic, this) for topic in (CASE_INTAKE, CASE_REACTIONS))
                if project.deleted_at is not None and objects.rules(project.key).rules:
                    # The next project with this key begins without rules.
                    none = RulesChanged(rules=Rules(project_key=project.key))
                    changed[objects.key("rules", project.key)] = none.rules
                    told += tuple((topic, none) for topic in (ALERT_COMMANDS, CASE_INTAKE))
            case Rule() as rule:
                together = self._rules(objects, change, rule)
                changed[objects.key("rules", rule.project_key)] = together.rules
                told = tuple((topic, together) for topic in (ALERT_COMMANDS, CASE_INTAKE))
            case _:
                pass
        return changed, told

    def _rules(self, objects: Objects, change: Change, rule: Rule) -> RulesChanged:
        old = objects.rules(rule.project_key)
        if isinstance(change.event, RuleCreated):
            rules = (*old.rules, rule)
        elif rule.deleted_at is not None:
            rules = tuple(r for r in old.rules if r.rule_id != rule.rule_id)
        else:
            rules = tuple(rule if r.rule_id == rule.rule_id else r for r in old.rules)
        return RulesChanged(rules=replace(old, rules=rules))

    def _tell(self, envelope: Envelope, topic: str, body: ProjectChanged | RulesChanged) -> Forward:
        return Forward(topic=topic, key=envelope.tenant_id, aggregate_id=envelope.tenant_id, body=body, broadcast=True)
