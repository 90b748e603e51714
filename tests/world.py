"""A tenant's world over the topology driver: says things as people and monitoring tools do, and sees what became of them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from schemas.codec import Decoded
from streams.alerts.alert import Alert
from streams.alerts.commands import RecordSignal
from streams.cases.case import STANDARD_TYPE, Case, Priority, Status
from streams.cases.commands import Action, ChangeStatus
from streams.cases.events import CaseEvent
from streams.cases.fold import fold
from streams.config.commands import CreateProject, CreateRule, DeleteProject, RegisterTenant, UpdateProject
from streams.config.events import ProjectCreated, RuleCreated
from streams.config.project import TenantKind
from streams.config.rule import Condition, RuleKind
from streams.envelope import Envelope, Origin
from streams.ids import aggregate_key, alert_id
from streams.intake.commands import CreateCase
from streams.outcomes import CommandRejected, CommandUnchanged, SignalSettled
from streams.text import EMPTY, Sealed
from streams.topics import (
    ALERT_COMMANDS,
    ALERT_EVENTS,
    CASE_COMMANDS,
    CASE_EVENTS,
    CASE_INTAKE,
    CONFIG_COMMANDS,
    CONFIG_EVENTS,
)
from topologies.testing import TopologyTestDriver

ROUTING: Final = "0123456789abcdef"
SECOND: Final = 1_000_000
BEGIN: Final = 1_900_000_000 * SECOND
CASE_EVENTS_OF: Final = CaseEvent.__args__


class World:
    """One tenant. Every word it says is a second later than the one before, and has an id that repeats in every run."""

    def __init__(self, driver: TopologyTestDriver | None = None, *, name: str = "acme") -> None:
        self.driver = driver if driver is not None else TopologyTestDriver()
        self.name = name
        self.tenant_id = str(uuid5(NAMESPACE_URL, name))
        self.now = BEGIN
        self.signals: list[str] = []
        self.asked: list[str] = []
        self._said = 0

    # what is said

    def envelope(self, aggregate_id: str, **given: Any) -> Envelope:
        self._said += 1
        self.now += SECOND
        said = str(uuid5(NAMESPACE_URL, f"{self.name}/{self._said}"))
        facts: dict[str, Any] = {
            "tenant_id": self.tenant_id,
            "aggregate_id": aggregate_id,
            "id": said,
            "correlation_id": said,
            "source": "api",
            "actor": "user:ada",
            "occurred_at": self.now,
            "recorded_at": self.now,
        }
        return Envelope(**(facts | given))

    def _ask(self, topic: str, key: str, aggregate_id: str, body: Any, *, run: bool = True, **given: Any) -> str:
        envelope = self.envelope(aggregate_id, **({"reply_by": self.now + 5 * SECOND} | given))
        if envelope.id not in self.asked:
            self.asked.append(envelope.id)
        if run:
            self.driver.pipe(topic, key, envelope, body)
        else:
            self.driver.put(topic, key, envelope, body)
        return envelope.id

    def configure(self, body: Any, **given: Any) -> str:
        """Say something about configuration; return the command's id."""
        return self._ask(CONFIG_COMMANDS, self.tenant_id, self.tenant_id, body, **given)

    def register(self) -> World:
        self.configure(RegisterTenant(name=Sealed.plain(self.name), kind=TenantKind.ONCALL))
        return self

    def project(self, key: str = "OPS") -> str:
        """Create a project; return its id."""
        command = self.configure(CreateProject(key=key, name=Sealed.plain(f"Project {key}")))
        return next(
            d.envelope.aggregate_id
            for d in self.driver.decoded(CONFIG_EVENTS)
            if isinstance(d.body, ProjectCreated) and d.envelope.causation_id == command
        )

    def automate(self, project_id: str, *, close_after: int | None = None, start: bool | None = None) -> str:
        """Ask for cases to be closed after so many seconds without activity, and started once taken; return the command's id."""
        settings: dict[str, Any] = {}
        if close_after is not None:
            settings["auto_close_inactive_cases"] = {"enabled": True, "max_inactive_time_in_secs": close_after}
        if start is not None:
            settings["auto_transition_assigned_cases"] = {"auto_transition_assigned_cases_on_self_assigned": start}
        return self.configure(UpdateProject(project_id=project_id, settings=json.dumps(settings)))

    def wait(self, seconds: int) -> None:
        """Let time pass: the clock ticks, and what is due happens."""
        self.driver.now = max(self.driver.now, self.now // 1_000)
        self.driver.advance(1_000 * seconds)
        self.now = max(self.now, self.driver.now * 1_000)

    def delete_project(self, project_id: str) -> str:
        return self.configure(DeleteProject(project_id=project_id))

    def rule(self, project_id: str, kind: RuleKind, *conditions: Condition, **given: Any) -> str:
        """Create a rule; return its id."""
        body = CreateRule(project_id=project_id, name="rule", kind=kind, conditions=conditions, **given)
        command = self.configure(body)
        return next(
            d.envelope.aggregate_id
            for d in self.driver.decoded(CONFIG_EVENTS)
            if isinstance(d.body, RuleCreated) and d.envelope.causation_id == command
        )

    def create(self, project_id: str, title: str = "Help", *, key: str = "OPS", run: bool = True, **given: Any) -> str:
        """Ask for a case; return the command's id. run: whether the stages get their turn at once."""
        envelope = {name: given.pop(name) for name in ("id", "correlation_id") if name in given}
        body = CreateCase(project_id=project_id, title=Sealed.plain(title), **({"type_id": STANDARD_TYPE} | given))
        return self._ask(CASE_INTAKE, aggregate_key(self.tenant_id, key), key, body, run=run, **envelope)

    def tell(self, case_id: str, body: Any, **given: Any) -> str:
        """Send a command to a case; return the command's id."""
        return self._ask(CASE_COMMANDS, aggregate_key(self.tenant_id, case_id), case_id, body, **given)

    def close(self, case_id: str) -> str:
        return self.tell(case_id, ChangeStatus(status=Status.CLOSED))

    def signal(
        self,
        action: Action,
        project_id: str,
        dedup_key: str = "cpu",
        *,
        key: str = "OPS",
        summary: str = "CPU is high",
        description: str | None = None,
        priority: Priority = Priority.NOT_DEFINED,
        labels: Mapping[str, str] | None = None,
        starts_at: int | None = None,
        routing: str = ROUTING,
        origin: Origin | None = None,
        run: bool = True,
        **given: Any,
    ) -> str:
        """Send a signal; return its id. run: whether the stages get their turn at once."""
        alert = alert_id(routing, dedup_key)
        envelope = self.envelope(alert, **({"source": "pagerduty", "origin": origin} | given))
        body = RecordSignal(
            action=action,
            project_id=project_id,
            project_key=key,
            dedup_key=dedup_key,
            summary=Sealed.plain(summary),
            description=EMPTY if description is None else Sealed.plain(description),
            priority=priority,
            labels=labels or {},
            starts_at=starts_at,
        )
        if envelope.id not in self.signals:
            self.signals.append(envelope.id)
        if run:
            self.driver.pipe(ALERT_COMMANDS, aggregate_key(self.tenant_id, alert), envelope, body)
        else:
            self.driver.put(ALERT_COMMANDS, aggregate_key(self.tenant_id, alert), envelope, body)
        return envelope.id

    def trigger(self, project_id: str, dedup_key: str = "cpu", **given: Any) -> str:
        return self.signal(Action.TRIGGER, project_id, dedup_key, **given)

    def acknowledge(self, project_id: str, dedup_key: str = "cpu", **given: Any) -> str:
        return self.signal(Action.ACKNOWLEDGE, project_id, dedup_key, **given)

    def resolve(self, project_id: str, dedup_key: str = "cpu", **given: Any) -> str:
        return self.signal(Action.RESOLVE, project_id, dedup_key, **given)

    # what is seen

    def own(self, topic: str) -> Iterable[Decoded]:
        return (d for d in self.driver.decoded(topic) if d.envelope.tenant_id == self.tenant_id)

    def events(self, topic: str = CASE_EVENTS) -> dict[str, list[Decoded]]:
        """Return the events of each aggregate: each once, as readers see them, who skip what they hold."""
        found: dict[str, list[Decoded]] = defaultdict(list)
        for d in self.own(topic):
            held = found[d.envelope.aggregate_id] if d.after is not None else []
            if d.after is not None and d.envelope.version == len(held) + 1:
                held.append(d)
        return {name: events for name, events in found.items() if events}

    def cases(self) -> list[Case]:
        """Return the cases as they are now, by project and number."""
        newest = [events[-1].after for events in self.events().values()]
        return sorted(newest, key=lambda case: (case.project_key, case.number))

    def case(self, key: str) -> Case:
        return next(case for case in self.cases() if case.key == key)

    def story(self, key: str) -> list[str]:
        """Return the names of what happened to a case."""
        return [type(d.body).__name__ for d in self.events()[self.case(key).case_id]]

    def alert(self, dedup_key: str = "cpu", *, routing: str = ROUTING) -> Alert | None:
        key = aggregate_key(self.tenant_id, alert_id(routing, dedup_key))
        state: Alert | None = self.driver.state("alerts", key)
        return state

    def receipts(self) -> dict[str, list[SignalSettled]]:
        """Return all receipts of each signal, in log order; the first counts."""
        found: dict[str, list[SignalSettled]] = defaultdict(list)
        for d in self.own(ALERT_EVENTS):
            if isinstance(d.body, SignalSettled):
                found[d.body.signal_id].append(d.body)
        return dict(found)

    def receipt(self, signal_id: str) -> str:
        """Return a signal's receipt as it is written: "state", or "state:reason"."""
        first = self.receipts()[signal_id][0]
        return f"{first.receipt}:{first.reason}" if first.reason else first.receipt.value

    def outcomes(self) -> dict[str, list[str]]:
        """Return all outcomes of each command that asked: "accepted", "unchanged" or a rejection's code."""
        found: dict[str, list[str]] = defaultdict(list)
        for topic in (CASE_EVENTS, CONFIG_EVENTS):
            for d in self.own(topic):
                if d.envelope.reply_by is None or not d.envelope.last:
                    continue
                match d.body:
                    case CommandRejected(code=code):
                        found[d.envelope.correlation_id].append(code)
                    case CommandUnchanged():
                        found[d.envelope.correlation_id].append("unchanged")
                    case _:
                        found[d.envelope.correlation_id].append("accepted")
        return dict(found)

    def outcome(self, command_id: str) -> str:
        return self.outcomes()[command_id][0]

    # what must hold, whatever was said

    def check(self, *, repeated: bool = False) -> None:
        """Assert the invariants. repeated: records may stand in the logs several times, and then say the same."""
        self._check_versions()
        self._check_folds()
        self._check_numbers()
        self._check_receipts(repeated=repeated)
        self._check_outcomes(repeated=repeated)

    def _check_versions(self) -> None:
        """Every repetition of an event is the event again; without them versions are 1..n in log order."""
        for topic in (CASE_EVENTS, ALERT_EVENTS, CONFIG_EVENTS):
            ids: dict[tuple[str, int], str] = {}
            newest: Counter[str] = Counter()
            for d in self.own(topic):
                if d.after is None:
                    assert d.envelope.version is None
                    continue
                aggregate, version = d.envelope.aggregate_id, d.envelope.version
                assert version is not None
                assert version == d.after.version
                assert ids.setdefault((aggregate, version), d.envelope.id) == d.envelope.id
                assert version <= newest[aggregate] + 1
                newest[aggregate] = max(newest[aggregate], version)

    def _check_folds(self) -> None:
        """What an event says is after it is what its aggregate folds to."""
        for case_id, events in self.events().items():
            case: Case | None = None
            for d in events:
                case = fold(case, (d.body,), d.envelope)
                assert case == d.after
            assert case == self.driver.state("cases", aggregate_key(self.tenant_id, case_id))

    def _check_numbers(self) -> None:
        numbers: dict[str, list[int]] = defaultdict(list)
        for case in self.cases():
            numbers[case.project_key].append(case.number)
        for given in numbers.values():
            assert given == list(range(1, len(given) + 1))

    def _check_receipts(self, *, repeated: bool) -> None:
        receipts = self.receipts()
        assert set(receipts) == set(self.signals)
        for signal_id, written in receipts.items():
            assert repeated or len(written) == 1, (signal_id, written)
            assert all(said == written[0] for said in written), (signal_id, written)

    def _check_outcomes(self, *, repeated: bool) -> None:
        outcomes = self.outcomes()
        assert set(outcomes) == set(self.asked)
        for command_id, said in outcomes.items():
            assert len(set(said)) == 1, (command_id, said)
            assert repeated or len(said) == 1, (command_id, said)
