"""THE picture as a value: every stage with what it reads, keeps and emits. It can be printed, driven and bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from schemas.topics import dead_letters
from streams import topics as t
from streams.alerts.stage import AlertsStage
from streams.automation.stage import AutomationStage
from streams.cases.stage import CasesStage
from streams.config.stage import ConfigStage
from streams.intake.stage import IntakeStage
from streams.stage import Logic


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A pure function of ONE topic and its own table.

    events: the topic of its own events and outcomes, None for one that only reacts. copies: a topic that gets each event
    as well, in the same partition. emits: the topics of the records that it makes for others. config: the kinds of
    configuration that it needs, which stage `config` writes into every partition of `reads`. by_tenant: its records have
    the tenant as key, and not the tenant and an aggregate of his. parks: a record that cannot be folded parks its row, and
    later ones follow it to the dead letters. ticks: it sets timers, and source `clock` writes the time into every partition
    of `reads`.
    """

    name: str
    reads: str
    logic: Callable[[], Logic]
    table: str
    events: str | None = None
    emits: tuple[str, ...] = ()
    copies: str | None = None
    config: tuple[str, ...] = ()
    by_tenant: bool = False
    parks: bool = False
    ticks: bool = False

    @property
    def group(self) -> str:
        return f"worker.stage.{self.name}"

    @property
    def source(self) -> str:
        """What the envelopes of its records say about who made them."""
        return f"stage.{self.name}"

    @property
    def changelog(self) -> str:
        return f"{self.group}-{self.table}-changelog"

    @property
    def dead_letters(self) -> str:
        return dead_letters(self.group)


class Kind(StrEnum):
    PROJECTION = "projection"
    EFFECT = "effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A sink group that reads a topic. A projection can be rebuilt from the start; an effect never fires again."""

    topic: str
    into: str
    group: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What brings records in from outside. group: of one that reads a topic itself."""

    name: str
    writes: tuple[str, ...]
    reads: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]
    sinks: tuple[Feed, ...]
    _by_name: dict[str, Stage] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        readers = [stage.reads for stage in self.stages]
        if len(set(readers)) != len(readers):
            raise ValueError("two stages read the same topic")
        self._by_name.update({stage.name: stage for stage in self.stages})

    def stage(self, name: str) -> Stage:
        """Return a stage by name; KeyError where there is none."""
        return self._by_name[name]

    def ticking(self) -> tuple[str, ...]:
        """Return the topics whose stages are told the time."""
        return tuple(stage.reads for stage in self.stages if stage.ticks)

    def groups(self) -> tuple[str, ...]:
        """Return every consumer group, each of which has a topic for dead letters."""
        sources = tuple(s.group for s in self.sources if s.group is not None)
        return (*sources, *(s.group for s in self.stages), *(s.group for s in self.sinks))


TOPOLOGY: Final = Topology(
    sources=(
        Source(name="http", writes=(t.ALERT_COMMANDS,)),
        Source(
            name="kafka",
            reads=t.ALERT_SIGNALS,
            # A signal that is refused is settled here: no stage has anything to decide about it.
            writes=(t.ALERT_COMMANDS, t.ALERT_EVENTS),
            group="source.kafka.signals",
        ),
        Source(name="clock", writes=(t.CASE_REACTIONS,)),
        Source(name="command-api", writes=(t.CASE_INTAKE, t.CASE_COMMANDS, t.CONFIG_COMMANDS)),
    ),
    stages=(
        Stage(
            name="config",
            reads=t.CONFIG_COMMANDS,
            logic=ConfigStage,
            table="config-state",
            events=t.CONFIG_EVENTS,
            emits=(t.ALERT_COMMANDS, t.CASE_INTAKE, t.CASE_REACTIONS),
            by_tenant=True,
        ),
        Stage(
            name="alerts",
            reads=t.ALERT_COMMANDS,
            logic=AlertsStage,
            table="alert-state",
            events=t.ALERT_EVENTS,
            emits=(t.CASE_INTAKE,),
            config=("rules",),
        ),
        Stage(
            name="intake",
            reads=t.CASE_INTAKE,
            logic=IntakeStage,
            table="intake-state",
            events=t.CASE_EVENTS,
            emits=(t.CASE_COMMANDS, t.ALERT_EVENTS),
            config=("project", "rules"),
        ),
        Stage(
            name="cases",
            reads=t.CASE_COMMANDS,
            logic=CasesStage,
            table="case-state",
            events=t.CASE_EVENTS,
            copies=t.CASE_REACTIONS,
            emits=(t.CASE_INTAKE, t.ALERT_COMMANDS, t.ALERT_EVENTS),
            parks=True,
        ),
        Stage(
            name="automation",
            reads=t.CASE_REACTIONS,
            logic=AutomationStage,
            table="automation-state",
            emits=(t.CASE_COMMANDS, t.CASE_REACTIONS),
            config=("project",),
            ticks=True,
        ),
    ),
    sinks=(
        Feed(topic=t.CASE_EVENTS, into="postgres", group="sink.postgres.case", kind=Kind.PROJECTION),
        Feed(topic=t.ALERT_EVENTS, into="postgres", group="sink.postgres.alert", kind=Kind.PROJECTION),
        Feed(topic=t.CONFIG_EVENTS, into="postgres", group="sink.postgres.config", kind=Kind.PROJECTION),
        Feed(topic=t.CASE_EVENTS, into="elasticsearch", group="sink.elasticsearch.case", kind=Kind.PROJECTION),
    ),
)
