"""The views in memory: the same projection, the same rules, no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from infra.runtime.errors import PoisonMessage
from schemas.topics import GENERATION
from sinks.base import LOG_START, Entry, Fenced, Raw, Refused
from sinks.event import event
from sinks.postgres.project import Placed, project, projects

ONCE = {"activity", "case_version", "signal_receipt", "command_outcome"}


class MemoryTables:
    """What outlives the sink's process: rows by table and key, and the positions."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[tuple[Any, ...], Any]] = {}
        self.positions: dict[int, int] = {}


class MemoryViews:
    """A ProjectionSink over tables in memory. Refuses a record whose tenant is not a UUID, as Postgres does."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables
        self._expected: dict[int, int] = {}

    def decode(self, raw: Raw) -> Placed:
        decoded = event(raw)
        if not projects(decoded):
            raise PoisonMessage(f"{decoded.name} changes no view")
        return Placed(decoded, raw.topic, GENERATION, raw.partition, raw.offset)

    def assigned(self, partitions: Sequence[int]) -> Mapping[int, int]:
        self._expected = {p: self._tables.positions.get(p, 0) for p in partitions}
        return {p: offset or LOG_START for p, offset in self._expected.items()}

    def apply(self, batch: Sequence[Entry[Placed]]) -> None:
        nexts: dict[int, int] = {}
        for entry in batch:
            at = entry.raw.partition
            if at not in nexts and self._tables.positions.get(at, 0) != self._expected.get(at):
                raise Fenced(f"partition {at}")
            nexts[at] = entry.raw.offset + 1
        refused = [(entry, "the tenant is not a UUID") for entry in batch if entry.item and not _valid(entry.item)]
        if refused:
            raise Refused(refused)
        changes = project((entry.item for entry in batch if entry.item is not None), outcomes_since=0)
        for table, rows in changes.tables().items():
            for row in rows:
                self._write(table, row)
        self._tables.positions |= nexts
        self._expected |= nexts

    def _write(self, table: str, row: Any) -> None:
        held = self._tables.rows.setdefault(table, {})
        match table:
            case "custom_attribute":
                held[row] = self._tables.rows["case"][row].attributes
            case "timeline_cell":
                held[row[:3]] = _join(held.get(row[:3]), row)
            case "activity" | "case_version":
                held.setdefault(row[:3], row)
            case _ if table in ONCE:
                held.setdefault(row[:2], row)
            case _ if row[:2] not in held or row.version > held[row[:2]].version:
                held[row[:2]] = row
            case _:
                pass

    def idle(self) -> None:
        pass

    def close(self) -> None:
        pass


def _valid(record: Placed) -> bool:
    try:
        UUID(record.decoded.envelope.tenant_id)
    except ValueError:
        return False
    return True


def _join(old: Any, new: Any) -> Any:
    if old is None:
        return new
    words = new if new.message_version > old.message_version else old
    return new._replace(
        version=max(old.version, new.version),
        message_version=words.message_version,
        author=old.author or new.author,
        message=words.message,
        created_at=old.created_at or new.created_at,
        modified_at=words.modified_at,
        deleted_at=old.deleted_at or new.deleted_at,
    )
