"""The load: triggers of distinct alerts, as a source appends them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence

from schemas import codec
from streams.alerts.commands import RecordSignal
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.envelope import Envelope
from streams.ids import aggregate_key, alert_id
from streams.text import Sealed
from streams.topics import ALERT_COMMANDS
from tests.bench.field import Field, Place
from tests.produce import produce


def fill(field: Field, count: int, *, name: str, tell: Callable[[int], None]) -> None:
    """Append `count` triggers to `alert.commands` and return once all are acked. name: of the batch, for distinct keys."""
    producer = field.producer()
    for n, (key, value) in enumerate(triggers(field.places, count, name=name)):
        produce(producer, ALERT_COMMANDS, key, value)
        if n % 1_000 == 0:
            tell(n)
    assert producer.flush(120) == 0
    tell(count)


def triggers(places: Sequence[Place], count: int, *, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Return keys and values of `count` triggers of as many alerts."""
    now = time.time_ns() // 1000
    for n in range(count):
        place = places[n % len(places)]
        alert = alert_id("0123456789abcdef", f"{name}-{n}")
        command_id = str(uuid.uuid4())
        envelope = Envelope(
            tenant_id=place.tenant_id,
            aggregate_id=alert,
            id=command_id,
            correlation_id=command_id,
            source="pagerduty",
            actor="integration:pagerduty",
            occurred_at=now,
            recorded_at=now,
        )
        body = RecordSignal(
            action=Action.TRIGGER,
            project_id=place.project_id,
            project_key=place.project_key,
            dedup_key=f"{name}-{n}",
            summary=Sealed.plain(f"Disk of db{n % 977} is {n % 100}% full"),
            priority=(Priority.P1, Priority.P2, Priority.P3, Priority.P4)[n % 4],
            labels={"team": f"team-{n % 7}", "service": f"service-{n % 31}", "severity": "critical"},
        )
        yield aggregate_key(place.tenant_id, alert).encode(), codec.encode(envelope, body)
