"""The life of one case as the real stage folds it, and as many more like it as are wanted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas import codec
from streams.cases.case import STANDARD_TYPE, Priority
from streams.cases.commands import Action, AddComment, ApplySignal, ChangePriority, ChangeTitle, OpenCase
from streams.envelope import Envelope
from streams.ids import aggregate_key, alert_id, derive
from streams.text import Sealed
from tests.bench.template import Template, uuid_text, uuids_in, varint
from topologies.graph import TOPOLOGY
from topologies.runner import StageFold
from topologies.step import Record, RowReader
from topologies.testing import MemoryRows

TENANTS: Final = 16
SECOND: Final = 1_000_000
# All of these take as many bytes as what replaces them.
_NUMBER: Final = (1 << 20) + 7
_DIGITS: Final = b"7531902"
_BEGAN: Final = time.time_ns() // 1000 - 14 * 24 * 3600 * SECOND
_WORDS: Final = "the checkout answers slowly since the last deployment and the queue of payments grows ; "


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A case: the key of all its records, its events in order, and its row."""

    key: bytes
    events: tuple[bytes, ...]
    row: bytes


class Stories:
    """Cases in tenants and projects of `name`. Case n is the same whenever it is asked for.

    row_bytes: how large the row of a case is made, by its description; None: as it comes.
    """

    def __init__(self, name: str, *, row_bytes: int | None = None) -> None:
        self._tenants = [_Tenant(name, n, row_bytes) for n in range(TENANTS)]

    def life(self, n: int) -> Life:
        """Return the n-th case, from 0: opened by an alert, acknowledged, commented on, made more urgent."""
        return self._tenants[n % TENANTS].life(n)

    def lives(self, cases: range) -> Iterator[Life]:
        return map(self.life, cases)

    def command(self, n: int, m: int) -> tuple[bytes, bytes]:
        """Return key and value of the m-th command of a person about the n-th case: one of three kinds."""
        return self._tenants[n % TENANTS].command(n, m)


class _Tenant:
    def __init__(self, name: str, number: int, row_bytes: int | None) -> None:
        self.tenant_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}-{number}"))
        self.project_id = derive(self.tenant_id, "project")
        self.project_key = f"B{number}"
        case_id = derive(self.tenant_id, "case")
        self._key = aggregate_key(self.tenant_id, case_id).encode()
        said = self._said(case_id, 0)
        if row_bytes is not None:
            said = self._said(case_id, row_bytes - len(_folded(self._key, said)[1]))
        events, row = _folded(self._key, said)
        commands = [codec.encode(*command) for command in self._asked(case_id)]
        fixed = (self.tenant_id, self.project_id, STANDARD_TYPE)
        self._ids = uuids_in([self._key, *events, row, *commands], but=fixed)
        self._moments = [_BEGAN + step * SECOND for step in range(len(said))]
        tokens = [*self._ids, *map(varint, self._moments), varint(_NUMBER), _DIGITS]
        self._events = [Template(event, tokens) for event in events]
        self._row = Template(row, tokens)
        self._commands = [Template(command, tokens) for command in commands]
        self._case = Template(self._key, tokens)

    def life(self, n: int) -> Life:
        values = self._values(n)
        return Life(
            key=self._case.fill(values),
            events=tuple(event.fill(values) for event in self._events),
            row=self._row.fill(values),
        )

    def command(self, n: int, m: int) -> tuple[bytes, bytes]:
        # The id of the command alone follows from m; all else says which case it is.
        values = self._values(n)
        own = uuid_text((1 << 80) + m)
        case = values[0]
        values = [case, *(own for _ in self._ids[1:]), *values[len(self._ids) :]]
        return self._case.fill(values), self._commands[m % len(self._commands)].fill(values)

    def _values(self, n: int) -> list[bytes]:
        first = (n + 1) << 8
        ids = [uuid_text(first + k) for k in range(len(self._ids))]
        later = n * SECOND // 2
        moments = [varint(moment + later) for moment in self._moments]
        return [*ids, *moments, varint(_NUMBER + 1 + n), b"%07d" % (n % 10_000_000)]

    def _said(self, case_id: str, description: int) -> list[tuple[Envelope, Any]]:
        digits = _DIGITS.decode()
        alert = alert_id("0123456789abcdef", f"db{digits}/disk")
        title = Sealed.plain(f"Disk of db{digits} is nearly full")
        words = _described(case_id, max(description, 0))
        attributes = {"team": ("storage",), "service": (f"service-{digits}",), "severity": ("critical",)}
        bodies = (
            OpenCase(
                project_id=self.project_id,
                project_key=self.project_key,
                number=_NUMBER,
                type_id=STANDARD_TYPE,
                description=Sealed.plain(words),
                priority=Priority.P2,
                attributes=attributes,
                seq=1,
                signal_id=derive(case_id, "signal", 0),
                alert_id=alert,
                title=title,
            ),
            ApplySignal(
                action=Action.ACKNOWLEDGE,
                seq=2,
                signal_id=derive(case_id, "signal", 1),
                project_key=self.project_key,
                alert_id=alert,
                title=title,
            ),
            AddComment(message=Sealed.plain(f"Old logs of db{digits} are being removed; it frees some 40 GB.")),
            ChangePriority(priority=Priority.P1),
        )
        return [(self._envelope(case_id, step, "said"), body) for step, body in enumerate(bodies)]

    def _asked(self, case_id: str) -> list[tuple[Envelope, Any]]:
        bodies = (
            AddComment(message=Sealed.plain("Looked at it: the disk fills by about one percent an hour.")),
            ChangeTitle(title=Sealed.plain(f"Disk of db{_DIGITS.decode()} is full")),
            ChangePriority(priority=Priority.P3),
        )
        return [(self._envelope(case_id, 0, f"asked-{n}"), body) for n, body in enumerate(bodies)]

    def _envelope(self, case_id: str, step: int, what: str) -> Envelope:
        command_id = derive(case_id, what, step)
        at = _BEGAN + step * SECOND
        return Envelope(
            tenant_id=self.tenant_id,
            aggregate_id=case_id,
            id=command_id,
            correlation_id=command_id,
            source="bench",
            actor="user:ada",
            occurred_at=at,
            recorded_at=at,
        )


def _described(case_id: str, size: int) -> str:
    """Return a text with ids in it, as people paste them: it packs as badly as theirs."""
    text = "".join(f"{_WORDS}trace {derive(case_id, 'trace', n)} ; " for n in range(size // len(_WORDS) + 1))
    return text[:size]


def _folded(key: bytes, said: Sequence[tuple[Envelope, Any]]) -> tuple[list[bytes], bytes]:
    """Return the events of these commands and the row of the case, as the real stage makes them."""
    stage = TOPOLOGY.stage("cases")
    rows = MemoryRows()
    # Before the start of any log, so that the row takes whatever is said to it at 0 or later for new.
    records = [Record(n - len(said), key, codec.encode(envelope, body)) for n, (envelope, body) in enumerate(said)]
    reader: RowReader = rows
    step = StageFold(stage, partitions=1).fold(0, records, reader)
    rows.write(step.rows)
    assert (step.folded, step.dead) == (len(said), 0)
    events = [sent.value for sent in step.sends if sent.topic == stage.events and sent.value is not None]
    return events, rows.rows[key]
