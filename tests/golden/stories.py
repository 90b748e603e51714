"""What happened once, told to a driver: the logs of these stories are kept, and must fold for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from streams.automation.watch import PAGE
from streams.cases.case import Priority, Status
from streams.cases.commands import (
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
from streams.clock import TimerFired
from streams.config.commands import (
    BindRoutingKey,
    CreateProject,
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
from streams.parked import UnparkCase
from streams.text import Sealed
from streams.topics import CASE_REACTIONS, CONFIG_EVENTS
from tests.world import BEGIN, SECOND, World
from topologies.testing import TopologyTestDriver


def _world() -> World:
    return World(TopologyTestDriver(partitions=1), name="golden").register()


def _made(world: World, command: str) -> str:
    return next(d.envelope.aggregate_id for d in world.own(CONFIG_EVENTS) if d.envelope.causation_id == command)


def people() -> World:
    """Somebody does to a case all that can be done."""
    world = _world()
    ops = world.project()
    world.create(ops, "Printer on fire", description=Sealed.plain("Again.\n"), attributes={"floor": ("2", "3")})
    case_id = world.cases()[0].case_id
    for body in (
        ChangeTitle(title=Sealed.plain("Printer on fire 🔥")),
        ChangeDescription(description=Sealed.plain("And again.")),
        ChangePriority(priority=Priority.P1),
        AssignCase(assignee_id="5a1d9f60-7d0b-4c7e-9d0e-6a3f4b5c6d7e"),
        ChangeAttributes(attributes={"floor": ("3",)}),
        ChangeDueDate(due_date="2030-01-31"),
        AddComment(message=Sealed.plain("I am on it")),
        ChangeStatus(status=Status.IN_PROGRESS),
        UnassignCase(),
        ChangeStatus(status=Status.CLOSED),
        ChangeResolvedReason(reason=Sealed.plain("Extinguished")),
        ArchiveCase(),
        UnarchiveCase(),
        ChangeStatus(status=Status.CLOSED),
        ChangeDueDate(due_date=None),
    ):
        world.tell(case_id, body)
    comment = next(d.body.comment_id for d in world.own("case.events") if d.name == "cases/comment_added")
    world.tell(case_id, EditComment(comment_id=comment, message=Sealed.plain("I was on it")))
    world.tell(case_id, DeleteComment(comment_id=comment))
    world.create(ops, "")
    world.create(ops, "Coffee is out")
    return world


def alerts() -> World:
    """Episodes, a group, a suppressed one, and a trigger that crosses the end of its case."""
    world = _world()
    ops = world.project()
    world.rule(ops, RuleKind.GROUP, Condition(field="service", operator=Operator.EXISTS), group_by=("service",))
    world.rule(ops, RuleKind.SUPPRESS, Condition(field="env", operator=Operator.EQUALS, value="test"))
    first, second = BEGIN - 900 * SECOND, BEGIN - 300 * SECOND
    for host in ("a", "b"):
        world.trigger(ops, host, labels={"service": "shop"}, starts_at=first)
    world.acknowledge(ops, "a")
    world.trigger(ops, "a", labels={"service": "shop"}, starts_at=first)
    world.resolve(ops, "a", starts_at=first)
    world.trigger(ops, "a", labels={"service": "shop"}, starts_at=first)
    world.resolve(ops, "c", starts_at=first)
    world.trigger(ops, "d", labels={"env": "test"})
    world.resolve(ops, "b", starts_at=first)
    world.trigger(ops, "a", labels={"service": "shop"}, starts_at=second, priority=Priority.P2)
    world.acknowledge(ops, "a")
    world.trigger(ops, "a", labels={"service": "shop"}, starts_at=second, run=False)
    world.close(world.cases()[-1].case_id)
    world.acknowledge(ops, "a")
    world.close(world.cases()[-1].case_id)
    world.trigger(ops, "a", description="From the start")
    world.trigger(ops, "a", run=False)
    world.close(world.cases()[-1].case_id)
    return world


def configuration() -> World:
    """Everything that can be said about configuration."""
    world = _world()
    ops, web = world.project(), world.project("WEB")
    world.configure(RegisterTenant(name=Sealed.plain("Again"), kind=TenantKind.CASE_MANAGEMENT))
    world.configure(CreateProject(key="OPS", name=Sealed.plain("Taken")))
    world.configure(UpdateProject(project_id=ops, name=Sealed.plain("Operations"), settings='{"color": "red"}'))
    rule = world.rule(ops, RuleKind.GROUP, group_by=("service",), window=600)
    world.configure(ReplaceRule(rule_id=rule, name="by host", group_by=("host",)))
    world.configure(DeleteRule(rule_id=world.rule(ops, RuleKind.SUPPRESS)))
    routing = _made(world, world.configure(BindRoutingKey(digest="d1", project_id=ops)))
    world.configure(RevokeRoutingKey(routing_id=routing))
    issue = IssueCredential(
        kind=CredentialKind.API_KEY, digest="d2", owner="5a1d9f60-7d0b-4c7e-9d0e-6a3f4b5c6d7e", name=Sealed.plain("CI")
    )
    world.configure(RevokeCredential(credential_id=_made(world, world.configure(issue))))
    world.delete_project(web)
    world.delete_project(ops)
    world.project("WEB")
    return world


def unparked() -> World:
    """An operator takes the mark off a case that has none: it goes on as before."""
    world = _world()
    world.create(world.project(), "Printer on fire")
    case_id = world.cases()[0].case_id
    world.tell(case_id, UnparkCase())
    world.tell(case_id, ChangePriority(priority=Priority.P2))
    return world


def automatic() -> World:
    """A project closes what is inactive and starts what is taken; it begins to when there are two pages of cases."""
    world = _world()
    ops = world.project()
    for n in range(PAGE + 1):
        world.create(ops, f"Printer {n}", run=n == PAGE)
    world.automate(ops, close_after=60, start=True)
    first, second = world.cases()[-2:]
    world.wait(20)
    world.tell(first.case_id, AssignCase(assignee_id="ada"))
    world.tell(second.case_id, AssignCase(assignee_id="bob"))
    world.wait(70)
    world.tell(first.case_id, ChangeStatus(status=Status.OPEN))
    # What went to the dead letters and is said again.
    again = world.envelope(first.case_id, actor="system:automation")
    world.driver.pipe(CASE_REACTIONS, f"{world.tenant_id}/{first.case_id}", again, TimerFired(name="inactive", due=0))
    world.automate(ops)
    world.wait(90)
    return world


STORIES: Final[dict[str, Callable[[], World]]] = {
    "people": people,
    "alerts": alerts,
    "configuration": configuration,
    "unparked": unparked,
    "automatic": automatic,
}
