"""What every case is, folded from `case.events` by the pure core alone. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas import codec
from schemas.state_hash import state_hash
from sinks.event import fault
from streams.cases.case import Case
from streams.cases.events import CaseEvent
from streams.cases.fold import fold

_EVENTS: Final[tuple[type[Any], ...]] = CaseEvent.__args__


class Name(NamedTuple):
    """A case of a tenant."""

    tenant_id: str
    case_id: str


class State(NamedTuple):
    """What is compared. digest: the state hash, hex."""

    version: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        return {"version": self.version, "state_hash": self.digest}


@dataclass(slots=True)
class Truth:
    """The fold of all records that were added, in the order of each partition. faults: where the log is not what it
    should be, one line each. unread: records that no view may take: every reader passes them to its dead letters, so
    that no view holds anything of them.
    """

    faults: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    _cases: dict[Name, Case] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._cases)

    def add(self, key: bytes | None, value: bytes | None, where: str) -> Name | None:
        """Fold one record, and return the case that changed. An event whose version is there already is passed over, as
        every reader does; anything else that does not follow is a fault.
        """
        try:
            record = codec.decode(value)
        except codec.UnknownSchema as error:
            self.faults.append(f"{where}: {error}")
            return None
        except codec.Undecodable as error:
            self.unread.append(f"{where}: {error}")
            return None
        if not isinstance(record.body, _EVENTS):
            return None
        wrong = fault(key, record)
        if wrong is not None:
            self.unread.append(f"{where}: {wrong}")
            return None
        name = Name(record.envelope.tenant_id, record.envelope.aggregate_id)
        before = self._cases.get(name)
        version, next_version = record.envelope.version, 1 if before is None else before.version + 1
        if version is None or version > next_version:
            self.faults.append(f"{where}: case {name.case_id} has version {version}, expected {next_version}")
            return None
        if version < next_version:
            return None
        after = fold(before, (record.body,), record.envelope)
        assert after is not None
        if after != record.after:
            self.faults.append(f"{where}: what version {version} of case {name.case_id} carries is not the fold")
        self._cases[name] = after
        return name

    def states(self) -> dict[Name, State]:
        """Return every case's version and hash."""
        return {name: State(case.version, state_hash(case).hex()) for name, case in self._cases.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A case that the log and a view have otherwise; None where one has it not at all."""

    name: Name
    log: State | None
    view: State | None

    @property
    def said(self) -> str:
        match self.log, self.view:
            case State(version=version), None:
                return f"missing, the log has version {version}"
            case None, State(version=version):
                return f"version {version} is of no event"
            case State(version=log), State(version=view) if log != view:
                return f"version {view}, the log has {log}"
            case _:
                return "the same version with another state"

    def to_json(self) -> dict[str, Any]:
        return {
            "tenant_id": self.name.tenant_id,
            "case_id": self.name.case_id,
            "log": None if self.log is None else self.log.to_json(),
            "view": None if self.view is None else self.view.to_json(),
            "said": self.said,
        }


def differences(log: dict[Name, State], view: dict[Name, State]) -> list[Difference]:
    """Return the cases that are not the same, by name."""
    return [
        Difference(name=name, log=log.get(name), view=view.get(name))
        for name in sorted(log.keys() | view.keys())
        if log.get(name) != view.get(name)
    ]
