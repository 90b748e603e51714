"""Events to row changes, a batch at a time: one row a key, the highest version. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.codec import Decoded
from sinks.postgres import text
from sinks.postgres.case_row import case_row
from sinks.postgres.change import change
from sinks.postgres.rows import (
    ActivityRow,
    AlertRow,
    CaseKey,
    CaseVersionRow,
    CellRow,
    CredentialRow,
    OutcomeRow,
    ProjectRow,
    ReceiptRow,
    RoutingKeyRow,
    RuleRow,
    TenantRow,
)
from streams.alerts.alert import Alert
from streams.alerts.events import AlertEvent
from streams.cases.case import Case
from streams.cases.events import (
    CaseAttributesChanged,
    CaseEvent,
    CaseOpened,
    CommentAdded,
    CommentDeleted,
    CommentEdited,
)
from streams.config.events import ConfigEvent
from streams.config.project import Credential, Project, RoutingKey, Tenant
from streams.config.rule import Rule
from streams.outcomes import CommandRejected, CommandUnchanged, SignalSettled


class Placed(NamedTuple):
    """A record with where it stands. written_at: when it was appended, microseconds since 1970; 0: not known."""

    decoded: Decoded
    topic: str
    generation: int
    partition: int
    offset: int
    written_at: int = 0

    @property
    def answered_at(self) -> int:
        """Return when its command was answered: by the log's time, as the clock of who asked may be years off."""
        return self.written_at or self.decoded.envelope.recorded_at


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a batch comes to. States of one key: the highest version; of one version, and of all that is written once,
    the first in the log.
    """

    states: dict[tuple[type[Any], str, str], Decoded] = field(default_factory=dict)
    attributes: set[CaseKey] = field(default_factory=set)
    cells: dict[tuple[str, str, str], CellRow] = field(default_factory=dict)
    activity: dict[tuple[str, str, int], ActivityRow] = field(default_factory=dict)
    versions: dict[tuple[str, str, int], CaseVersionRow] = field(default_factory=dict)
    receipts: dict[tuple[str, str], ReceiptRow] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], OutcomeRow] = field(default_factory=dict)

    def tables(self) -> dict[str, Sequence[tuple[Any, ...]]]:
        """Return the rows of every table that changes, in the order in which to write them."""
        tables: dict[str, list[tuple[Any, ...]]] = {}
        for (kind, tenant_id, _), newest in self.states.items():
            table, row = _ROWS[kind]
            state = newest.after
            # Half of what a case costs is its encoding, and that is at hand.
            made = case_row(tenant_id, state, newest.row()) if kind is Case else row(tenant_id, state)
            tables.setdefault(table, []).append(made)
        grouped: dict[str, Iterable[tuple[Any, ...]]] = {
            "custom_attribute": self.attributes,
            "timeline_cell": self.cells.values(),
            "activity": self.activity.values(),
            "case_version": self.versions.values(),
            "signal_receipt": self.receipts.values(),
            "command_outcome": self.outcomes.values(),
        }
        return {**tables, **{name: list(rows) for name, rows in grouped.items() if rows}}

    def live(self) -> set[str]:
        """Return the tenants whose live streams have something new."""
        return {tenant_id for tenant_id, _, _ in self.activity}


def projects(decoded: Decoded) -> bool:
    """Whether a record of this type changes any view."""
    return type(decoded.body) in _BY_TYPE


def project(placed: Iterable[Placed], *, outcomes_since: int) -> Changes:
    """Return what the records come to.

    They are in log order within each partition, and all records of a key are in one partition. Feeding any of them
    again changes nothing. outcomes_since: microseconds; older answers have nobody waiting for them.
    """
    changes = Changes()
    for record in placed:
        envelope = record.decoded.envelope
        _BY_TYPE[type(record.decoded.body)](changes, record)
        if envelope.reply_by is not None and envelope.last and record.answered_at >= outcomes_since:
            outcome = _outcome(record)
            changes.outcomes.setdefault((outcome.tenant_id, outcome.command_id), outcome)
    return changes


def _state(changes: Changes, record: Placed) -> None:
    after, envelope = record.decoded.after, record.decoded.envelope
    key = (type(after), envelope.tenant_id, envelope.aggregate_id)
    held = changes.states.get(key)
    if held is None or after.version > held.after.version:
        changes.states[key] = record.decoded


def _case(changes: Changes, record: Placed) -> None:
    decoded, envelope = record.decoded, record.decoded.envelope
    _state(changes, record)
    tenant_id, case_id, version = envelope.tenant_id, envelope.aggregate_id, decoded.after.version
    body: CaseEvent = decoded.body
    if (tenant_id, case_id, version) not in changes.activity:
        happened_at = text.instant(envelope.occurred_at)
        changes.activity[tenant_id, case_id, version] = ActivityRow(
            tenant_id,
            case_id,
            version,
            envelope.id,
            decoded.name.rpartition("/")[2],
            text.plain(envelope.actor),
            happened_at,
            text.json(change(body)),
            record.generation,
            record.partition,
            record.offset,
            envelope.correlation_id,
        )
        changes.versions[tenant_id, case_id, version] = CaseVersionRow(
            tenant_id, case_id, version, happened_at, decoded.row()
        )
    match body:
        case CaseOpened() | CaseAttributesChanged():
            changes.attributes.add(CaseKey(tenant_id, case_id))
        case CommentAdded(comment_id=cell_id, message=message):
            at = text.instant(envelope.occurred_at)
            author, words = text.plain(envelope.actor), text.plain(message.text)
            _cell(changes, CellRow(tenant_id, case_id, cell_id, version, version, author, words, at, None, None))
        case CommentEdited(comment_id=cell_id, message=message):
            at, words = text.instant(envelope.occurred_at), text.plain(message.text)
            _cell(changes, CellRow(tenant_id, case_id, cell_id, version, version, None, words, None, at, None))
        case CommentDeleted(comment_id=cell_id):
            at = text.instant(envelope.occurred_at)
            _cell(changes, CellRow(tenant_id, case_id, cell_id, version, 0, None, None, None, None, at))
        case _:
            pass


def _cell(changes: Changes, new: CellRow) -> None:
    """Join what two events know of a cell; the same as the database does with what it has, in whatever order."""
    key = (new.tenant_id, new.case_id, new.cell_id)
    old = changes.cells.get(key)
    if old is not None:
        words = new if new.message_version > old.message_version else old
        new = new._replace(
            version=max(old.version, new.version),
            message_version=words.message_version,
            author=old.author if old.author is not None else new.author,
            message=words.message,
            created_at=old.created_at if old.created_at is not None else new.created_at,
            modified_at=words.modified_at,
            deleted_at=old.deleted_at if old.deleted_at is not None else new.deleted_at,
        )
    changes.cells[key] = new


def _settled(changes: Changes, record: Placed) -> None:
    envelope = record.decoded.envelope
    body: SignalSettled = record.decoded.body
    row = ReceiptRow(
        envelope.tenant_id,
        body.signal_id,
        text.plain(envelope.aggregate_id),
        body.receipt.value,
        text.plain(body.reason),
        body.case_id,
        text.instant(envelope.recorded_at),
    )
    changes.receipts.setdefault((row.tenant_id, row.signal_id), row)


def _answer(_changes: Changes, _record: Placed) -> None:
    """A rejection or an unchanged leaves its outcome and no row."""


def _outcome(record: Placed) -> OutcomeRow:
    envelope, body = record.decoded.envelope, record.decoded.body
    code = detail = named = None
    verdict = "accepted"
    match body:
        case CommandRejected():
            verdict, code, detail, named = "rejected", body.code, text.plain(body.detail), text.optional(body.field)
        case CommandUnchanged():
            verdict = "unchanged"
        case _:
            pass
    return OutcomeRow(
        envelope.tenant_id,
        envelope.correlation_id,
        verdict,
        code,
        detail,
        named,
        text.plain(envelope.aggregate_id),
        envelope.version,
        record.topic,
        record.partition,
        record.offset,
        text.instant(record.answered_at),
    )


def _alert_row(tenant_id: str, alert: Alert) -> AlertRow:
    return AlertRow(
        tenant_id,
        text.plain(alert.alert_id),
        alert.version,
        alert.project_key,
        alert.status.value,
        alert.episode,
        alert.triggers,
        text.instant(alert.opened_at),
        text.instant(alert.changed_at),
    )


def _tenant_row(tenant_id: str, tenant: Tenant) -> TenantRow:
    return TenantRow(
        tenant_id, tenant.version, text.plain(tenant.name.text), tenant.kind.value, text.instant(tenant.created_at)
    )


def _credential_row(tenant_id: str, credential: Credential) -> CredentialRow:
    return CredentialRow(
        tenant_id,
        credential.credential_id,
        credential.version,
        credential.kind.value,
        credential.digest,
        text.plain(credential.owner),
        text.plain(credential.name.text),
        text.instant(credential.created_at),
        text.optional_instant(credential.revoked_at),
    )


def _routing_row(tenant_id: str, routing: RoutingKey) -> RoutingKeyRow:
    return RoutingKeyRow(
        tenant_id,
        routing.routing_id,
        routing.version,
        routing.digest,
        routing.project_id,
        routing.project_key,
        text.instant(routing.created_at),
        text.optional_instant(routing.revoked_at),
    )


def _project_row(tenant_id: str, owned: Project) -> ProjectRow:
    return ProjectRow(
        tenant_id,
        owned.project_id,
        owned.version,
        owned.key,
        text.plain(owned.name.text),
        text.optional(owned.team_uuid),
        text.json(owned.enabled_custom_case_types),
        owned.restricted,
        text.json_object(owned.settings),
        text.json_object(owned.columns_config),
        text.instant(owned.created_at),
        text.optional_instant(owned.modified_at),
        text.optional_instant(owned.deleted_at),
    )


def _rule_row(tenant_id: str, rule: Rule) -> RuleRow:
    conditions = [{"field": c.field, "operator": c.operator.value, "value": c.value} for c in rule.conditions]
    return RuleRow(
        tenant_id,
        rule.rule_id,
        rule.version,
        rule.project_id,
        rule.project_key,
        text.plain(rule.name),
        rule.kind.value,
        rule.enabled,
        text.json(conditions),
        text.json(rule.group_by),
        rule.window,
        text.instant(rule.created_at),
        text.optional_instant(rule.modified_at),
        text.optional_instant(rule.deleted_at),
    )


_ROWS: Final[dict[type[Any], tuple[str, Callable[[str, Any], tuple[Any, ...]]]]] = {
    Case: ("case", case_row),
    Alert: ("alert", _alert_row),
    Tenant: ("tenant", _tenant_row),
    Credential: ("credential", _credential_row),
    RoutingKey: ("routing_key", _routing_row),
    Project: ("project", _project_row),
    Rule: ("automation_rule", _rule_row),
}
_BY_TYPE: Final[dict[type[Any], Callable[[Changes, Placed], None]]] = {
    **dict.fromkeys(CaseEvent.__args__, _case),
    **dict.fromkeys(AlertEvent.__args__, _state),
    **dict.fromkeys(ConfigEvent.__args__, _state),
    SignalSettled: _settled,
    CommandRejected: _answer,
    CommandUnchanged: _answer,
}
