"""The topic catalogue: what is in each topic, how long it is kept, who may write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.signal import AlertSignal
from streams import topics as t
from streams.alerts.commands import AlertCommand
from streams.alerts.events import AlertEvent
from streams.automation.commands import AutomationCommand
from streams.cases.commands import CaseCommand
from streams.cases.events import CaseEvent
from streams.clock import Tick, TimerFired
from streams.config.changes import ProjectChanged, RulesChanged
from streams.config.commands import ConfigCommand
from streams.config.events import ConfigEvent
from streams.intake.commands import IntakeCommand
from streams.outcomes import CommandRejected, CommandUnchanged, SignalSettled
from streams.parked import UnparkCase

DAY_MS: Final = 24 * 3600 * 1000
GENERATION: Final = 1
"""Raised when a topic is made anew: stored offsets of an earlier generation mean nothing."""

MAX_RECORD_BYTES: Final = 1_000_000
"""The largest record, everywhere from the edge to the broker."""

BROKERS_CLOCK: Final = {"message.timestamp.type": "LogAppendTime"}
"""The times of records are the broker's. By its writer's clock one that is behind would be deleted before it is read, as older
than is kept, and one that is ahead is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """key: what the record key is made of. owner: the package that answers for what is in it. bodies: the types of its
    records. retention_ms: -1 for ever. public: others write it as well.
    """

    name: str
    key: str
    holds: str
    owner: str
    bodies: tuple[type[Any], ...]
    retention_ms: int
    public: bool = False

    @property
    def config(self) -> dict[str, str]:
        """Return the topic's settings for the broker."""
        return {
            **BROKERS_CLOCK,
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(MAX_RECORD_BYTES + 48_576),
        }


_FOURTEEN_DAYS: Final = 14 * DAY_MS
_FOR_EVER: Final = -1
_OUTCOMES: Final = (CommandRejected, CommandUnchanged)

TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic
    for topic in (
        Topic(
            name=t.ALERT_SIGNALS,
            key="any",
            holds="signals of any producer, with a routing key",
            owner="sources",
            bodies=(AlertSignal,),
            retention_ms=_FOURTEEN_DAYS,
            public=True,
        ),
        Topic(
            name=t.ALERT_COMMANDS,
            key="tenant/H/dedup key",
            holds="signals, translated",
            owner="streams.alerts",
            bodies=(*AlertCommand.__args__, RulesChanged),
            retention_ms=_FOURTEEN_DAYS,
        ),
        Topic(
            name=t.ALERT_EVENTS,
            key="tenant/H/dedup key",
            holds="what became of alerts, and the receipt of each signal",
            owner="streams.alerts",
            bodies=(*AlertEvent.__args__, SignalSettled, *_OUTCOMES),
            retention_ms=_FOR_EVER,
        ),
        Topic(
            name=t.CASE_INTAKE,
            key="tenant/project key",
            holds="what may open a case",
            owner="streams.intake",
            bodies=(*IntakeCommand.__args__, ProjectChanged, RulesChanged),
            retention_ms=_FOURTEEN_DAYS,
        ),
        Topic(
            name=t.CASE_COMMANDS,
            key="tenant/case",
            holds="commands to cases",
            owner="streams.cases",
            bodies=(*CaseCommand.__args__, UnparkCase),
            retention_ms=_FOURTEEN_DAYS,
        ),
        Topic(
            name=t.CASE_EVENTS,
            key="tenant/case",
            holds="what happened to cases, and what intake refused",
            owner="streams.cases",
            bodies=(*CaseEvent.__args__, *_OUTCOMES),
            retention_ms=_FOR_EVER,
        ),
        Topic(
            name=t.CASE_REACTIONS,
            key="tenant/case",
            holds="case events, configuration and the time, for reactions",
            owner="streams.automation",
            bodies=(*CaseEvent.__args__, *AutomationCommand.__args__, ProjectChanged, Tick, TimerFired),
            retention_ms=_FOURTEEN_DAYS,
        ),
        Topic(
            name=t.CONFIG_COMMANDS,
            key="tenant",
            holds="commands to configuration",
            owner="streams.config",
            bodies=ConfigCommand.__args__,
            retention_ms=_FOURTEEN_DAYS,
        ),
        Topic(
            name=t.CONFIG_EVENTS,
            key="tenant",
            holds="what happened to configuration",
            owner="streams.config",
            bodies=(*ConfigEvent.__args__, *_OUTCOMES),
            retention_ms=_FOR_EVER,
        ),
    )
}


def dead_letters(group: str) -> str:
    """Return the name of the dead-letter topic of a consumer group."""
    return f"{group}.dlq"


DEAD_LETTER_CONFIG: Final = {
    **BROKERS_CLOCK,
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "max.message.bytes": str(2 * MAX_RECORD_BYTES),
}
CHANGELOG_CONFIG: Final = {
    **BROKERS_CLOCK,
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(3600 * 1000),
    "max.message.bytes": str(2 * MAX_RECORD_BYTES),
}
