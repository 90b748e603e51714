"""What the log says that views must hold once they have all of it: by version, and of cases by state hash. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

from infra.cli.case.problem import Problem
from infra.cli.operate.truth import Name, State
from infra.runtime.errors import NewerWriter, PoisonMessage
from schemas.codec import Decoded, Undecodable, UnknownSchema
from schemas.state_hash import row_hash
from sinks.base import Raw
from sinks.event import event
from sinks.postgres import text
from streams.alerts.alert import Alert
from streams.cases.case import Case
from streams.cases.events import CommentAdded
from streams.config.project import Credential, Project, RoutingKey, Tenant
from streams.config.rule import Rule
from streams.outcomes import SignalSettled

T = TypeVar("T")

_TABLES: Final[dict[type[Any], str]] = {
    Alert: "alert",
    Tenant: "tenant",
    Credential: "credential",
    RoutingKey: "routing_key",
    Project: "project",
    Rule: "automation_rule",
}


@dataclass(slots=True)
class Newest:
    """Of some partitions, read in order. cases: version and state hash. rows: by table, the version of every aggregate.

    unread: records that no view may take, as every reader finds by itself. faults: versions that do not follow.
    at: by case, where its newest event stands (partition, offset). base: the cases as they were before these records.
    """

    base: Mapping[Name, State] = field(default_factory=dict)
    cases: dict[Name, State] = field(default_factory=dict)
    at: dict[Name, tuple[int, int]] = field(default_factory=dict)
    rows: dict[str, dict[Name, int]] = field(default_factory=dict)
    receipts: set[bytes] = field(default_factory=set)
    records: int = 0
    events: int = 0
    cells: int = 0
    unread: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    refused: set[Name] = field(default_factory=set)

    def taken(self, raw: Raw, decode: Callable[[Raw], T]) -> T | None:
        """Return what `decode` makes of a record; None where no view may take it. Problem where its writer is newer."""
        self.records += 1
        try:
            return decode(raw)
        except (UnknownSchema, NewerWriter) as error:
            hint = "Upgrade this program first."
            raise Problem(f"{where(raw)} is of a newer writer: {error}", hint=hint) from error
        except (PoisonMessage, Undecodable) as error:
            self.unread.append(f"{where(raw)}: {error}")
            return None

    def read(self, raw: Raw) -> None:
        """Take in one record, whatever it is."""
        decoded = self.taken(raw, event)
        if decoded is not None:
            self.add(raw, decoded)

    def refuse(self, raw: Raw, decoded: Decoded, cause: str) -> None:
        """The store took everything but this record: what it is about cannot be compared."""
        self.unread.append(f"{where(raw)}: {cause}")
        self.refused.add(Name(decoded.envelope.tenant_id, decoded.envelope.aggregate_id))

    def add(self, raw: Raw, decoded: Decoded) -> None:
        """Take in a record that every view takes."""
        after, envelope = decoded.after, decoded.envelope
        match after:
            case None:
                if isinstance(decoded.body, SignalSettled):
                    self.receipts.add(UUID(envelope.tenant_id).bytes + UUID(decoded.body.signal_id).bytes)
            case Case():
                self._case(raw, decoded, after)
            case _:
                rows = self.rows.setdefault(_TABLES[type(after)], {})
                name = Name(envelope.tenant_id, text.plain(envelope.aggregate_id))
                rows[name] = max(rows.get(name, 0), after.version)

    def _case(self, raw: Raw, decoded: Decoded, after: Case) -> None:
        name = Name(decoded.envelope.tenant_id, after.case_id)
        held = self.cases.get(name) or self.base.get(name)
        before = 0 if held is None else held.version
        if after.version <= before:
            return
        if after.version > before + 1:
            said = f"case {name.case_id} has version {after.version}, expected {before + 1}"
            self.faults.append(f"{where(raw)}: {said}")
        self.cases[name] = State(after.version, row_hash(decoded.row()).hex())
        self.at[name] = (raw.partition, raw.offset)
        self.events += 1
        self.cells += isinstance(decoded.body, CommentAdded)

    def join(self, other: Newest) -> None:
        """Take in what another one has of other partitions, or of later records of these."""
        for name, state in other.cases.items():
            held = self.cases.get(name)
            if held is None or state.version > held.version:
                self.cases[name] = state
                self.at[name] = other.at[name]
        for table, rows in other.rows.items():
            mine = self.rows.setdefault(table, {})
            for name, version in rows.items():
                mine[name] = max(mine.get(name, 0), version)
        self.receipts |= other.receipts
        self.records += other.records
        self.events += other.events
        self.cells += other.cells
        self.unread += other.unread
        self.refused |= other.refused
        self.faults += other.faults


def where(raw: Raw) -> str:
    """Return where a record stands, as a person writes it."""
    return f"{raw.topic}/{raw.partition}:{raw.offset}"
