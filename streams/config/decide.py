"""What configuration answers to a command. `after` is the object as the event leaves it, which is all its state."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

from streams.automation.settings import refuse as refuse_settings
from streams.config.commands import (
    BindRoutingKey,
    ConfigCommand,
    CreateProject,
    CreateRule,
    DeleteProject,
    DeleteRule,
    IssueCredential,
    RegisterTenant,
    ReplaceRule,
    RevokeCredential,
    RevokeRoutingKey,
    UpdateProject,
)
from streams.config.events import (
    ConfigEvent,
    CredentialIssued,
    CredentialRevoked,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
    RoutingKeyBound,
    RoutingKeyRevoked,
    RuleCreated,
    RuleDeleted,
    RuleReplaced,
    TenantRegistered,
)
from streams.config.limits import refuse
from streams.config.project import Credential, Project, RoutingKey, TakenName, Tenant
from streams.config.rule import RULES_LIMIT, Rule, RuleKind, Rules
from streams.decision import UNCHANGED, Accepted, Decision, accept, reject
from streams.envelope import Envelope
from streams.ids import derive
from streams.stage import Rows

PROJECT_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,29}")
RESERVED_KEYS: Final = frozenset({"CASE"})
"""Keys that the public API forbids."""

ConfigObject: TypeAlias = Tenant | Credential | RoutingKey | Project | Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event with the object after it."""

    event: ConfigEvent
    object_id: str
    after: ConfigObject


class Objects:
    """The rows of one tenant's configuration, by name. Absent and deleted are the same."""

    def __init__(self, tenant_id: str, rows: Rows) -> None:
        self._tenant_id = tenant_id
        self._rows = rows

    def key(self, noun: str, name: str) -> str:
        return f"{self._tenant_id}|{noun}/{name}"

    def tenant(self) -> Tenant | None:
        return self._rows.get(self.key("tenant", self._tenant_id), Tenant)

    def project(self, project_id: str) -> Project | None:
        project = self._rows.get(self.key("project", project_id), Project)
        return None if project is None or project.deleted_at is not None else project

    def project_with(self, key: str) -> str | None:
        taken = self._rows.get(self.key("project-key", key), TakenName)
        return None if taken is None else taken.object_id

    def credential(self, credential_id: str) -> Credential | None:
        return self._rows.get(self.key("credential", credential_id), Credential)

    def routing(self, routing_id: str) -> RoutingKey | None:
        return self._rows.get(self.key("routing", routing_id), RoutingKey)

    def rule(self, rule_id: str) -> Rule | None:
        """A rule goes with its project."""
        rule = self._rows.get(self.key("rule", rule_id), Rule)
        gone = rule is None or rule.deleted_at is not None or self.project(rule.project_id) is None
        return None if gone else rule

    def made(self, noun: str, object_id: str) -> bool:
        """Whether there is, or ever was, an object of this id: then the command that makes it was carried out."""
        return self._rows.get(self.key(noun, object_id), object) is not None

    def rules(self, project_key: str) -> Rules:
        return self._rows.get(self.key("rules", project_key), Rules) or Rules(project_key=project_key)


def decide(command: ConfigCommand, objects: Objects, by: Envelope) -> Decision[Change]:
    """Decide `command`; new objects take their id from the command."""
    at = by.occurred_at
    changes = _named(command, objects)
    if by.expected_version is not None and changes is not None and by.expected_version != changes.version:
        return reject("config.version_conflict", f"it is at version {changes.version}, not {by.expected_version}")
    refused = refuse(command)
    if refused is not None:
        return refused
    match command:
        case RegisterTenant(name=name, kind=kind):
            if objects.tenant() is not None:
                return UNCHANGED
            tenant = Tenant(tenant_id=by.tenant_id, version=1, name=name, kind=kind, created_at=at)
            return _changed(TenantRegistered(), by.tenant_id, tenant)
        case IssueCredential():
            new = derive(by.id, "credential")
            if objects.made("credential", new):
                return UNCHANGED
            return _changed(
                CredentialIssued(),
                new,
                Credential(
                    credential_id=new,
                    version=1,
                    kind=command.kind,
                    digest=command.digest,
                    owner=command.owner,
                    name=command.name,
                    created_at=at,
                ),
            )
        case RevokeCredential(credential_id=credential_id):
            credential = objects.credential(credential_id)
            if credential is None:
                return reject("credential.not_found", f"credential {credential_id} does not exist")
            if credential.revoked_at is not None:
                return UNCHANGED
            revoked = replace(credential, version=credential.version + 1, revoked_at=at)
            return _changed(CredentialRevoked(), credential_id, revoked)
        case BindRoutingKey(digest=digest, project_id=project_id):
            new = derive(by.id, "routing")
            if objects.made("routing", new):
                return UNCHANGED
            project = objects.project(project_id)
            if project is None:
                return _no_project(project_id)
            return _changed(
                RoutingKeyBound(),
                new,
                RoutingKey(
                    routing_id=new,
                    version=1,
                    digest=digest,
                    project_id=project_id,
                    project_key=project.key,
                    created_at=at,
                ),
            )
        case RevokeRoutingKey(routing_id=routing_id):
            routing = objects.routing(routing_id)
            if routing is None:
                return reject("routing_key.not_found", f"routing key {routing_id} does not exist")
            if routing.revoked_at is not None:
                return UNCHANGED
            gone = replace(routing, version=routing.version + 1, revoked_at=at)
            return _changed(RoutingKeyRevoked(), routing_id, gone)
        case CreateProject():
            return _create_project(command, objects, by)
        case UpdateProject():
            return _update_project(command, objects, by)
        case DeleteProject(project_id=project_id):
            project = objects.project(project_id)
            if project is None:
                return _no_project(project_id)
            return _changed(
                ProjectDeleted(),
                project_id,
                replace(project, version=project.version + 1, modified_at=at, deleted_at=at),
            )
        case CreateRule() | ReplaceRule() | DeleteRule():
            return _rule(command, objects, by)
        case _:
            assert_never(command)


def _named(command: ConfigCommand, objects: Objects) -> ConfigObject | None:
    """Return the object that the command names in order to change it, None where it makes one or there is none."""
    match command:
        case RevokeCredential(credential_id=credential_id):
            return objects.credential(credential_id)
        case RevokeRoutingKey(routing_id=routing_id):
            return objects.routing(routing_id)
        case UpdateProject(project_id=project_id) | DeleteProject(project_id=project_id):
            return objects.project(project_id)
        case ReplaceRule(rule_id=rule_id) | DeleteRule(rule_id=rule_id):
            return objects.rule(rule_id)
        case RegisterTenant() | IssueCredential() | BindRoutingKey() | CreateProject() | CreateRule():
            return None
        case _:
            assert_never(command)


def _changed(event: ConfigEvent, object_id: str, after: ConfigObject) -> Accepted[Change]:
    return Accepted((Change(event=event, object_id=object_id, after=after),))


def _no_project(project_id: str) -> Decision[Change]:
    return reject("project.not_found", f"project {project_id} does not exist", field="project_id")


def _create_project(command: CreateProject, objects: Objects, by: Envelope) -> Decision[Change]:
    if PROJECT_KEY.fullmatch(command.key) is None:
        rule = "a project key is 1 to 30 capital letters, digits or underscores, beginning with a letter"
        return reject("project.key_invalid", rule, field="key")
    if command.key in RESERVED_KEYS:
        return reject("project.key_reserved", f"a project cannot have the key {command.key}", field="key")
    if not command.name.content:
        return reject("project.name_missing", "a project has a name", field="name")
    new = derive(by.id, "project")
    if objects.made("project", new):
        return UNCHANGED
    if objects.project_with(command.key) is not None:
        return reject("project.key_taken", f"another project has the key {command.key}", field="key")
    return _changed(
        ProjectCreated(),
        new,
        Project(
            project_id=new,
            version=1,
            key=command.key,
            name=command.name,
            team_uuid=command.team_uuid,
            enabled_custom_case_types=command.enabled_custom_case_types,
            created_at=by.occurred_at,
        ),
    )


def _update_project(command: UpdateProject, objects: Objects, by: Envelope) -> Decision[Change]:
    project = objects.project(command.project_id)
    if project is None:
        return _no_project(command.project_id)
    if command.name is not None and not command.name.content:
        return reject("project.name_missing", "a project has a name", field="name")
    refused = None if command.settings is None else refuse_settings(command.settings)
    if refused is not None:
        return refused
    asked = {
        "name": command.name,
        "team_uuid": command.team_uuid,
        "enabled_custom_case_types": command.enabled_custom_case_types,
        "settings": command.settings,
        "columns_config": command.columns_config,
    }
    changed = tuple(name for name, value in asked.items() if value is not None and value != getattr(project, name))
    if not changed:
        return UNCHANGED
    after = replace(
        project,
        version=project.version + 1,
        modified_at=by.occurred_at,
        name=command.name if command.name is not None else project.name,
        team_uuid=command.team_uuid if command.team_uuid is not None else project.team_uuid,
        enabled_custom_case_types=(
            command.enabled_custom_case_types
            if command.enabled_custom_case_types is not None
            else project.enabled_custom_case_types
        ),
        settings=command.settings if command.settings is not None else project.settings,
        columns_config=command.columns_config if command.columns_config is not None else project.columns_config,
    )
    return _changed(ProjectUpdated(changed=changed), command.project_id, after)


def _rule(command: CreateRule | ReplaceRule | DeleteRule, objects: Objects, by: Envelope) -> Decision[Change]:
    at = by.occurred_at
    if isinstance(command, CreateRule):
        new = derive(by.id, "rule")
        if objects.made("rule", new):
            return UNCHANGED
        project = objects.project(command.project_id)
        if project is None:
            return _no_project(command.project_id)
        if command.kind is RuleKind.GROUP and not command.group_by:
            return reject("rule.group_by_missing", "a grouping rule names the fields to group by", field="group_by")
        if len(objects.rules(project.key).rules) >= RULES_LIMIT:
            return reject("rule.limit", f"a project has at most {RULES_LIMIT} rules")
        rule = Rule(
            rule_id=new,
            version=1,
            project_id=project.project_id,
            project_key=project.key,
            name=command.name,
            kind=command.kind,
            enabled=command.enabled,
            conditions=command.conditions,
            group_by=command.group_by,
            window=command.window,
            created_at=at,
        )
        return _changed(RuleCreated(), new, rule)
    old = objects.rule(command.rule_id)
    if old is None:
        return reject("rule.not_found", f"rule {command.rule_id} does not exist", field="rule_id")
    if isinstance(command, DeleteRule):
        deleted = replace(old, version=old.version + 1, modified_at=at, deleted_at=at)
        return _changed(RuleDeleted(), command.rule_id, deleted)
    if old.kind is RuleKind.GROUP and not command.group_by:
        return reject("rule.group_by_missing", "a grouping rule names the fields to group by", field="group_by")
    same = replace(
        old,
        name=command.name,
        enabled=command.enabled,
        conditions=command.conditions,
        group_by=command.group_by,
        window=command.window,
    )
    if same == old:
        return UNCHANGED
    return accept(
        Change(
            event=RuleReplaced(),
            object_id=old.rule_id,
            after=replace(same, version=old.version + 1, modified_at=at),
        )
    )
