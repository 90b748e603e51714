"""A log as the stages write it: commands in, the events topics out, with ids and times that follow from a counter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from schemas import codec
from sinks.base import Entry, ProjectionSink, Raw, T
from streams import topics as t
from streams.alerts.commands import RecordSignal
from streams.cases.case import Priority, Status
from streams.cases.commands import (
    Action,
    AddComment,
    ArchiveCase,
    AssignCase,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
    DeleteComment,
    EditComment,
    UnarchiveCase,
    UnassignCase,
)
from streams.config.commands import (
    BindRoutingKey,
    CreateProject,
    CreateRule,
    DeleteProject,
    DeleteRule,
    IssueCredential,
    RegisterTenant,
    ReplaceRule,
    RevokeCredential,
    RevokeRoutingKey,
    UpdateProject,
)
from streams.config.project import CredentialKind, TenantKind
from streams.config.rule import Condition, Operator, RuleKind
from streams.envelope import Envelope
from streams.ids import NAMESPACE, aggregate_key, alert_id, derive, routing_hash
from streams.intake.commands import CreateCase
from streams.text import Sealed
from topologies.step import Outgoing
from topologies.testing import TopologyTestDriver

START = 1_900_000_000_000_000
"""The first command's time, microseconds since 1970."""

EVENTS = (t.CASE_EVENTS, t.ALERT_EVENTS, t.CONFIG_EVENTS)


class Story:
    """Commands of one tenant after the other, each folded by all stages at once. Returned ids are those of commands."""

    def __init__(self, *, partitions: int = 4, seed: str = "story") -> None:
        self.driver = TopologyTestDriver(partitions=partitions)
        self._seed = seed
        self._count = 0
        self._held = False
        self.clock: int | None = None
        """What the clocks of those who speak show from now on, microseconds since 1970; None: a second more each time."""

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Append what is sent inside the block, and fold none of it before its end: it crosses on its way."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.driver.run()

    def tenant(self, name: str) -> str:
        """Return the id of a tenant, whether or not it is registered."""
        return derive(str(NAMESPACE), self._seed, "tenant", name)

    def send(self, topic: str, tenant_id: str, aggregate_id: str, key: str, body: Any, *, answer: bool = True) -> str:
        """Pipe a command, whose caller waits for an answer or not, and return its id."""
        self._count += 1
        at = START + self._count * 1_000_000 if self.clock is None else self.clock
        command_id = derive(tenant_id, self._seed, self._count)
        envelope = Envelope(
            tenant_id=tenant_id,
            aggregate_id=aggregate_id,
            id=command_id,
            correlation_id=command_id,
            source="test",
            actor=f"user:{derive(tenant_id, 'user')}",
            occurred_at=at,
            recorded_at=at,
            reply_by=START if answer else None,
        )
        self.driver.append(Outgoing(topic, None, key.encode(), codec.encode(envelope, body)))
        if not self._held:
            self.driver.run()
        return command_id

    def configure(self, tenant_id: str, body: Any) -> str:
        return self.send(t.CONFIG_COMMANDS, tenant_id, tenant_id, tenant_id, body)

    def project(self, tenant_id: str, key: str = "OPS") -> str:
        """Create a project and return its id."""
        command = self.configure(tenant_id, CreateProject(key=key, name=Sealed.plain(f"Project {key}")))
        return derive(command, "project")

    def open_case(self, tenant_id: str, project_id: str, title: str, *, key: str = "OPS", **fields: Any) -> str:
        """Ask for a case and return the id that it gets."""
        body = CreateCase(project_id=project_id, title=Sealed.plain(title), **fields)
        command = self.send(t.CASE_INTAKE, tenant_id, key, aggregate_key(tenant_id, key), body)
        return derive(derive(command, "intake", 0), "case")

    def change(self, tenant_id: str, case_id: str, body: Any) -> str:
        return self.send(t.CASE_COMMANDS, tenant_id, case_id, aggregate_key(tenant_id, case_id), body)

    def comment(self, tenant_id: str, case_id: str, words: str) -> str:
        """Add a comment and return its id."""
        command = self.change(tenant_id, case_id, AddComment(message=Sealed.plain(words)))
        return derive(command, "comment")

    def signal(
        self,
        tenant_id: str,
        project_id: str,
        action: Action,
        dedup_key: str,
        summary: str = "down",
        starts_at: int | None = None,
        key: str = "OPS",
    ) -> str:
        """Send a signal of an alert and return its id."""
        body = RecordSignal(
            action=action,
            project_id=project_id,
            project_key=key,
            dedup_key=dedup_key,
            summary=Sealed.plain(summary),
            labels={"service": "db", "team": dedup_key[:1]},
            starts_at=starts_at,
        )
        about = alert_id(routing_hash(f"key of {tenant_id}"), dedup_key)
        return self.send(t.ALERT_COMMANDS, tenant_id, about, aggregate_key(tenant_id, about), body, answer=False)

    def records(self, topic: str) -> list[Raw]:
        """Return a topic's records as Kafka would have them, partition by partition."""
        found: list[Raw] = []
        for partition in range(self.driver.partitions):
            log = self.driver.logs[topic, partition]
            found += [Raw(topic, partition, at, r.key, r.value, START // 1000) for at, r in enumerate(log)]
        return found


def everything(*, partitions: int = 4, seed: str = "story") -> Story:
    """Return a story in which every type of event happens, to two tenants, with refusals and all receipts."""
    story = Story(partitions=partitions, seed=seed)
    for name in ("acme", "globex"):
        _play(story, story.tenant(name), name)
    for name in ("acme", "globex"):
        _cross(story, story.tenant(name))
    return story


def _play(story: Story, tenant: str, name: str) -> None:
    digest = sha256(f"{story.tenant(name)}".encode()).hexdigest()
    story.configure(tenant, RegisterTenant(name=Sealed.plain(name), kind=TenantKind.ONCALL))
    issued = story.configure(
        tenant,
        IssueCredential(kind=CredentialKind.API_KEY, digest=digest, owner="somebody", name=Sealed.plain("first")),
    )
    project = story.project(tenant)
    other = story.project(tenant, "OTHER")
    bound = story.configure(tenant, BindRoutingKey(digest=digest, project_id=project))
    story.configure(tenant, UpdateProject(project_id=project, name=Sealed.plain("Operations"), settings='{"a": [1]}'))
    _rules(story, tenant, project)

    _case(story, tenant, project)
    _alerts(story, tenant, project)

    story.open_case(tenant, derive(tenant, "no such project"), "refused", key="NONE")
    story.configure(tenant, CreateProject(key="OPS", name=Sealed.plain("taken")))
    story.configure(tenant, RevokeCredential(credential_id=derive(issued, "credential")))
    story.configure(tenant, RevokeRoutingKey(routing_id=derive(bound, "routing")))
    story.configure(tenant, DeleteProject(project_id=other))


def _rules(story: Story, tenant: str, project: str) -> None:
    noise = Condition(field="summary", operator=Operator.CONTAINS, value="noise")
    made = story.configure(
        tenant, CreateRule(project_id=project, name="quiet", kind=RuleKind.SUPPRESS, conditions=(noise,))
    )
    by_team = story.configure(
        tenant, CreateRule(project_id=project, name="by team", kind=RuleKind.GROUP, group_by=("team",))
    )
    story.configure(tenant, ReplaceRule(rule_id=derive(made, "rule"), name="quieter", conditions=(noise,), window=60))
    gone = story.configure(
        tenant, CreateRule(project_id=project, name="gone", kind=RuleKind.SUPPRESS, conditions=(noise,))
    )
    story.configure(tenant, DeleteRule(rule_id=derive(gone, "rule")))
    assert by_team


def _case(story: Story, tenant: str, project: str) -> None:
    case = story.open_case(
        tenant, project, 'It is "down" \\ 🔥', priority=Priority.P2, attributes={"env": ("prod", "eu"), "x": ("1",)}
    )
    first = story.comment(tenant, case, "looking\ninto {it}, NULL")
    second = story.comment(tenant, case, "never mind")
    changes = (
        ChangeTitle(title=Sealed.plain("It is up")),
        ChangeTitle(title=Sealed.plain("It is up")),
        ChangeDescription(description=Sealed.plain("a\x00b")),
        ChangePriority(priority=Priority.P1),
        AssignCase(assignee_id=derive(tenant, "user", "a")),
        UnassignCase(),
        ChangeAttributes(attributes={"env": ("dev",), 'o"d\\d': ("",)}),
        EditComment(comment_id=first, message=Sealed.plain("found it")),
        DeleteComment(comment_id=second),
        DeleteComment(comment_id=derive(case, "no such comment")),
        ChangeDueDate(due_date="2031-02-03"),
        ChangeStatus(status=Status.IN_PROGRESS),
        ChangeStatus(status=Status.CLOSED),
        ChangeResolvedReason(reason=Sealed.plain("rebooted")),
        ArchiveCase(),
        UnarchiveCase(),
    )
    for body in changes:
        story.change(tenant, case, body)
    story.open_case(tenant, project, "left alone")


def _alerts(story: Story, tenant: str, project: str) -> None:
    for action, dedup_key, summary in (
        (Action.TRIGGER, "a-1", "disk full"),
        (Action.TRIGGER, "a-1", "disk full"),
        (Action.TRIGGER, "a-2", "disk full too"),
        (Action.ACKNOWLEDGE, "a-1", ""),
        (Action.ACKNOWLEDGE, "a-1", ""),
        (Action.RESOLVE, "a-1", ""),
        (Action.RESOLVE, "a-9", ""),
        (Action.TRIGGER, "n-1", "just noise"),
        (Action.RESOLVE, "a-2", ""),
        (Action.TRIGGER, "a-1", "disk full again"),
    ):
        story.signal(tenant, project, action, dedup_key, summary)
    # A resolve that is faster than the trigger which it ends.
    story.signal(tenant, project, Action.RESOLVE, "m-1", starts_at=START)
    # Closing the case by hand ends the episode of its alert.
    for case_id in _open_cases(story, tenant):
        story.change(tenant, case_id, ChangeStatus(status=Status.CLOSED))


def _cross(story: Story, tenant: str) -> None:
    """An acknowledged alert fires again while somebody closes its case: the trigger opens another one."""
    project = story.project(tenant, "NET")
    story.signal(tenant, project, Action.TRIGGER, "c-1", "link down", key="NET")
    story.signal(tenant, project, Action.ACKNOWLEDGE, "c-1", key="NET")
    (crossed,) = _open_cases(story, tenant, "link down")
    with story.at_once():
        story.signal(tenant, project, Action.TRIGGER, "c-1", "link down again", key="NET")
        story.change(tenant, crossed, ChangeStatus(status=Status.CLOSED))


def _open_cases(story: Story, tenant: str, title: str | None = None) -> list[str]:
    """Return the cases with an alert that have not ended, of this title or of any."""
    states = {
        case_id: story.driver.state("cases", aggregate_key(tenant, case_id))
        for case_id in {d.envelope.aggregate_id for d in story.driver.decoded(t.CASE_EVENTS)}
    }
    return sorted(
        case_id
        for case_id, state in states.items()
        if state is not None and state.alerts and not state.ended and title in {None, state.title.text}
    )


def entries(sink: ProjectionSink[T], records: list[Raw]) -> list[Entry[T]]:
    """Return records as the loop hands them to `apply`."""
    return [Entry(raw, sink.decode(raw)) for raw in records]


def batches(records: list[Raw], size: int) -> Iterator[list[Raw]]:
    """Yield the records `size` at a time."""
    for at in range(0, len(records), size):
        yield records[at : at + size]
