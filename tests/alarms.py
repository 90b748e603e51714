"""A stage that does nothing but ring: it is told which timers to set, and says which fired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from streams.cases.commands import ChangeTitle
from streams.clock import TimerFired
from streams.envelope import Envelope
from streams.intake.project_intake import Counter
from streams.stage import Carried, Forward, Handled, Rows
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_REACTIONS
from topologies.graph import Stage, Topology

TENANT: Final = str(uuid5(NAMESPACE_URL, "alarms"))


class Alarms:
    """Rows: `tenant/NAME` counts what it was told and what fired.

    A timer called "again" sets itself three seconds later, twice; "instead" sets "again" and cancels "late"; "now" sets itself to
    when it was due, once more; "bad" raises.
    """

    def main_key(self, key: str, _envelope: Envelope, _body: Any) -> str:
        return key

    def carried(self, _envelope: Envelope, _body: Any) -> Carried | None:
        return None

    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        count = (rows.get(key, Counter) or Counter()).last_number + 1
        if not isinstance(body, TimerFired):
            return Handled(row=Counter(last_number=count), timers=json.loads(body.title.text))
        if body.name == "bad":
            raise RuntimeError("it does not ring")
        rung = Forward(
            topic=CASE_COMMANDS,
            key=key,
            aggregate_id=envelope.aggregate_id,
            body=ChangeTitle(title=Sealed.plain(f"{body.name} {body.due}")),
        )
        return Handled(row=Counter(last_number=count), forwards=(rung,), timers=after(body, count))


def after(fired: TimerFired, count: int) -> Mapping[str, int | None]:
    """Return what a timer that fired sets and cancels."""
    match fired.name:
        case "again" if count < 9:
            return {"again": fired.due + 3_000}
        case "instead":
            return {"again": fired.due + 1_000, "late": None}
        case "now" if count % 2:
            return {"now": fired.due}
        case _:
            return {}


ALARMS: Final = Stage(
    name="alarms",
    reads=CASE_REACTIONS,
    logic=Alarms,
    table="alarms-state",
    emits=(CASE_COMMANDS,),
    ticks=True,
)
RINGING: Final = Topology(sources=(), stages=(ALARMS,), sinks=())


def setting(row: str, n: int, timers: Mapping[str, int | None], *, at: int = 0) -> tuple[str, Envelope, ChangeTitle]:
    """Return key, envelope and body of the n-th record, which tells a row to set these timers."""
    said = str(uuid5(NAMESPACE_URL, f"{row}/{n}"))
    envelope = Envelope(
        tenant_id=TENANT,
        aggregate_id=row,
        id=said,
        correlation_id=said,
        source="api",
        actor="user:ada",
        occurred_at=at * 1_000,
        recorded_at=at * 1_000,
    )
    return f"{TENANT}/{row}", envelope, ChangeTitle(title=Sealed.plain(json.dumps(timers)))
