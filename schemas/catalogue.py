"""Every record type with its schema's name. Ids stand in `ids.json`; they are given once and never reused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.signal import AlertSignal
from streams.alerts import commands as alert_commands
from streams.alerts import events as alert_events
from streams.alerts.alert import Alert
from streams.automation import commands as automation_commands
from streams.automation.settings import Automation
from streams.automation.watch import CasePage, Watch
from streams.cases import commands as case_commands
from streams.cases import events as case_events
from streams.cases.case import Case, Comment
from streams.clock import LastTick, Tick, TimerFired
from streams.config import changes, project, rule
from streams.config import commands as config_commands
from streams.config import events as config_events
from streams.intake import commands as intake_commands
from streams.intake import project_intake
from streams.outcomes import CommandRejected, CommandUnchanged, SignalSettled
from streams.parked import Parked, UnparkCase


@dataclass(frozen=True, slots=True)
class RecordType:
    """One schema. name: folder and file under `avro/`, without the version. after: the type of `after`, if any.

    bare: a row's state, which has no envelope of its own.
    """

    name: str
    body: type[Any]
    after: type[Any] | None = None
    bare: bool = False


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _records(folder: str, *bodies: type[Any], after: type[Any] | None = None, bare: bool = False) -> list[RecordType]:
    return [RecordType(f"{folder}/{_snake(body.__name__)}", body, after, bare) for body in bodies]


def _of(union: Any) -> tuple[type[Any], ...]:
    members: tuple[type[Any], ...] = union.__args__
    return members


_CONFIG_AFTER: Final = {
    config_events.TenantRegistered: project.Tenant,
    config_events.CredentialIssued: project.Credential,
    config_events.CredentialRevoked: project.Credential,
    config_events.RoutingKeyBound: project.RoutingKey,
    config_events.RoutingKeyRevoked: project.RoutingKey,
    config_events.ProjectCreated: project.Project,
    config_events.ProjectUpdated: project.Project,
    config_events.ProjectDeleted: project.Project,
    config_events.RuleCreated: rule.Rule,
    config_events.RuleReplaced: rule.Rule,
    config_events.RuleDeleted: rule.Rule,
}

RECORD_TYPES: Final[tuple[RecordType, ...]] = (
    RecordType("alerts/alert_signal", AlertSignal, bare=True),
    *_records("alerts", *_of(alert_commands.AlertCommand)),
    *_records("alerts", *_of(alert_events.AlertEvent), after=Alert),
    *_records("alerts", SignalSettled),
    *_records("intake", *_of(intake_commands.IntakeCommand)),
    *_records("cases", *_of(case_commands.CaseCommand), UnparkCase),
    *_records("cases", *_of(case_events.CaseEvent), after=Case),
    *_records("config", *_of(config_commands.ConfigCommand)),
    *(RecordType(f"config/{_snake(e.__name__)}", e, a) for e, a in _CONFIG_AFTER.items()),
    *_records("config", changes.ProjectChanged, changes.RulesChanged),
    *_records("automation", *_of(automation_commands.AutomationCommand)),
    *_records("clock", Tick, TimerFired),
    *_records("outcomes", CommandRejected, CommandUnchanged),
    *_records("rows", Alert, Case, Comment, bare=True),
    *_records("rows", project_intake.Counter, project_intake.Attachment, project_intake.Group, bare=True),
    *_records("rows", project.Tenant, project.Credential, project.RoutingKey, project.Project, bare=True),
    *_records("rows", project.TakenName, rule.Rule, rule.Rules, bare=True),
    *_records("rows", Parked, LastTick, Automation, Watch, CasePage, bare=True),
)
