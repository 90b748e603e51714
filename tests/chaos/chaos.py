"""A storm over a running platform, one fault after the other, and what is true once it is quiet again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaException

from tests.chaos.checker import Verdict, check
from tests.chaos.faults import Fault
from tests.chaos.log import records
from tests.chaos.quiet import await_quiet, behind
from tests.chaos.rebuilds import rebuilt
from tests.chaos.recovery import Recovery
from tests.chaos.storm import Storm
from tests.chaos.victims import Victims
from tests.chaos.views import Snapshot, snapshots
from tests.installed import Platform, await_
from topologies.graph import TOPOLOGY

QUIET_SECONDS: Final = 240.0
BREATH_SECONDS: Final = 1.0
STORM_SECONDS: Final = 1800.0
SAY_SECONDS: Final = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A fault with how long it lasted, and after how many seconds each thing worked again."""

    fault: str
    lasted: float
    recovery: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return {"fault": self.fault, "seconds": self.lasted, "recovery": self.recovery}


@dataclass(slots=True)
class Report:
    """All that one run found. dead_letters: by topic."""

    accepted: dict[str, int] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    dead_letters: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        return [f"{verdict.name}: {text}" for verdict in self.verdicts for text in verdict.wrong]

    def to_json(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 1),
            "accepted": self.accepted,
            "faults": [episode.to_json() for episode in self.episodes],
            "dead_letters": self.dead_letters,
            "invariants": [verdict.to_json() for verdict in self.verdicts],
        }


class Chaos:
    """One run. count: how much is to be accepted at least. rate: things sent a second. hold: seconds that a fault lasts."""

    def __init__(self, platform: Platform, *, count: int, rate: float, hold: float, say: Say, seed: int = 1) -> None:
        self._platform = platform
        stack = platform.stack
        self.victims = Victims(platform)
        self.storm = Storm(
            http=stack["http"], kafka=stack["kafka"], tenants=stack["tenants"], count=count, rate=rate, seed=seed
        )
        self._recovery = Recovery(self.victims, self.storm.accepted)
        self._hold = hold
        self._say = say
        self._began = time.monotonic()
        self._shots: list[Snapshot] = []

    def run(self, faults: Iterable[Fault], *, rebuild: bool = False) -> Report:
        """Do all of it, and return what was found. rebuild: make both views anew at the end, twice. Raises what shows that the platform did not come back."""
        report = Report()
        self.storm.start()
        try:
            for fault in faults:
                self._breathe()
                report.episodes.append(self._episode(fault))
            self.storm.end()
            self._await_storm()
        except BaseException:
            self.storm.abandon()
            raise
        stack = self._platform.stack
        self._tell("all is sent; waiting until it is quiet")
        await_quiet(stack["kafka"], stack["postgres"], seconds=QUIET_SECONDS)
        self._tell("quiet; checking")
        accepted = self.storm.accepted
        report.accepted = {
            "signals": len(accepted.signals),
            "commands": len(accepted.commands),
            "sent again": accepted.retried,
            "refused at the edge": accepted.refused,
            "garbage": accepted.corrupt,
        }
        report.verdicts = check(stack, accepted, self._shots)
        if rebuild:
            self._tell("rebuilding both views, twice")
            report.verdicts.append(rebuilt(self.victims))
        report.dead_letters = self._dead_letters(stack["kafka"])
        report.seconds = time.monotonic() - self._began
        return report

    def _episode(self, fault: Fault) -> Episode:
        self._tell(fault.name)
        began = time.monotonic()
        fault.deed(self.victims, self._hold * fault.share)
        lasted = round(time.monotonic() - began, 1)
        # Before all has recovered: what a view says of itself must be true at any moment.
        self._look()
        recovery = self._recovery.measure()
        self._look()
        self._tell(f"  over after {lasted:g} s; again after: {_shown(recovery)}")
        # Raises what ended the storm.
        self.storm.done()
        return Episode(fault=fault.name, lasted=lasted, recovery=recovery)

    def _breathe(self) -> None:
        """Let the storm go on undisturbed for a moment, so that each fault meets work that is on its way."""
        before = self.storm.accepted.count
        until = time.monotonic() + BREATH_SECONDS

        def enough() -> bool:
            self.storm.done()
            return time.monotonic() > until and self.storm.accepted.count > before

        await_(enough, seconds=60, what="the storm goes on")

    def _look(self) -> None:
        stack = self._platform.stack
        self._shots += snapshots(stack["postgres"], stack["elasticsearch"])

    def _await_storm(self) -> None:
        deadline = time.monotonic() + STORM_SECONDS
        while not self.storm.done():
            assert time.monotonic() < deadline, "the storm does not end"
            self._tell("no fault")
            until = time.monotonic() + SAY_SECONDS
            while time.monotonic() < until and not self.storm.done():
                time.sleep(0.2)

    def _tell(self, what: str) -> None:
        left = behind(self._platform.stack["kafka"])
        lag = "Kafka does not say" if left is None else f"{left} records on their way"
        passed = time.monotonic() - self._began
        self._say(f"{passed:6.0f} s  {self.storm.accepted.count:6} accepted  {lag:>24}  {what}")

    def _dead_letters(self, kafka: str) -> dict[str, int]:
        """Count the letters of each group. Each corrupt record must have become one; no stage or sink has any."""
        found = {}
        for group in TOPOLOGY.groups():
            topic = f"{group}.dlq"
            try:
                found[topic] = sum(1 for record in records(kafka, topic) if record.key or record.value is not None)
            except KafkaException:
                found[topic] = 0
        return {topic: count for topic, count in found.items() if count}


def _shown(recovery: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in recovery.items())
