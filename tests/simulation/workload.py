"""What people, tools and producers do in a run: drawn from the seed before it begins, so that any part can be left out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from streams.cases.case import Priority, Status
from streams.cases.commands import (
    Action,
    AddComment,
    ArchiveCase,
    AssignCase,
    ChangePriority,
    ChangeStatus,
    ChangeTitle,
    UnarchiveCase,
)
from streams.config.commands import CreateRule, DeleteRule, UpdateProject
from streams.config.rule import Condition, Operator, RuleKind
from streams.ids import derive
from streams.text import Sealed
from tests.simulation.clock import SECOND
from tests.simulation.edge import Edge
from tests.world import BEGIN, World

KEYS: Final = ("a", "b", "c")
TENANTS: Final = ("acme", "globex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A tool says something about an alert. doomed: in the project that will be deleted."""

    tenant: int
    action: Action
    key: str
    service: str
    episode: int | None
    doomed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Somebody changes the n-th case that there is by then."""

    tenant: int
    n: int
    body: Any
    expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody asks for a case."""

    tenant: int
    doomed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """change: "group", "suppress", "unrule", "rename", "automate" or "delete" (the doomed project). seconds: without activity
    after which a case is closed, None for never.
    """

    tenant: int
    change: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A producer sends one of its last records again."""

    n: int


Item: TypeAlias = Say | Tell | Ask | Configure | Repeat


@dataclass(frozen=True, slots=True)
class Timed:
    """number: under which it can be named. at: microseconds after the storm began."""

    number: int
    at: int
    item: Item


def draw(seed: str) -> list[Timed]:
    """Draw the workload of a seed."""
    chance = random.Random(f"{seed}/workload")
    count = chance.choice((12, 25, 50))
    span = chance.choice((2, 20, 60)) * SECOND
    times = sorted(chance.randrange(span) for _ in range(count))
    return [Timed(number, at, _item(chance)) for number, at in enumerate(times)]


def _item(chance: random.Random) -> Item:
    tenant = int(chance.random() < 0.25)
    match chance.choices(("say", "tell", "ask", "configure", "repeat"), (50, 20, 6, 6, 18))[0]:
        case "say":
            return Say(
                tenant=tenant,
                action=chance.choices(list(Action), (6, 2, 3))[0],
                key=chance.choice(KEYS),
                service=chance.choice(("shop", "mail")),
                episode=chance.choice((None, None, None, 1, 2, 3)),
                doomed=chance.random() < 0.15,
            )
        case "tell":
            return Tell(tenant=tenant, n=chance.randrange(4), body=_body(chance), expected=chance.random() < 0.2)
        case "ask":
            return Ask(tenant=tenant, doomed=chance.random() < 0.3)
        case "configure":
            changes = ("group", "suppress", "unrule", "rename", "automate", "delete")
            change = chance.choices(changes, (3, 2, 3, 2, 6, 3))[0]
            return Configure(tenant=tenant, change=change, seconds=chance.choice((1, 2, 5, 10, 10, None)))
        case _:
            return Repeat(n=chance.randrange(100))


def _body(chance: random.Random) -> Any:
    return chance.choice(
        (
            ChangeStatus(status=Status.CLOSED),
            ChangeStatus(status=Status.CLOSED),
            ChangeStatus(status=chance.choice(list(Status))),
            ArchiveCase(),
            UnarchiveCase(),
            AddComment(message=Sealed.plain(f"seen {chance.randrange(9)}")),
            ChangePriority(priority=chance.choice(list(Priority))),
            ChangeTitle(title=Sealed.plain(f"title {chance.randrange(9)}")),
            AssignCase(assignee_id=chance.choice(("ada", "ada", "bob"))),
        )
    )


class People:
    """The tenants, each with a project that lasts and one that is doomed, and some rules to begin with."""

    def __init__(self, edge: Edge, seed: str) -> None:
        chance = random.Random(f"{seed}/people")
        self.edge = edge
        self.worlds = [World(edge, name=name).register() for name in TENANTS]
        self.lasting = [world.project("OPS") for world in self.worlds]
        self.doomed = [world.project("OLD") for world in self.worlds]
        self._rules: list[list[str]] = [[] for _ in TENANTS]
        if chance.random() < 0.5:
            self._rules[0].append(self.worlds[0].rule(self.lasting[0], RuleKind.GROUP, group_by=("service",)))
        if chance.random() < 0.5:
            self.worlds[0].automate(self.lasting[0], close_after=chance.choice((2, 5, 9)), start=True)

    def do(self, item: Item, now: int) -> None:
        if isinstance(item, Repeat):
            self.edge.repeat(item.n)
            return
        world = self.worlds[item.tenant]
        world.now = max(world.now, BEGIN + now)
        match item:
            case Say():
                self._say(world, item)
            case Tell(n=n, body=body):
                cases = world.cases()
                if n < len(cases):
                    given = {"expected_version": cases[n].version} if item.expected else {}
                    world.tell(cases[n].case_id, body, **given)
            case Ask(doomed=doomed):
                project, key = (self.doomed, "OLD") if doomed else (self.lasting, "OPS")
                world.create(project[item.tenant], key=key)
            case Configure(change=change):
                self._configure(item.tenant, change, item.seconds)
            case _:
                assert_never(item)

    def _say(self, world: World, item: Say) -> None:
        project, key = (self.doomed, "OLD") if item.doomed else (self.lasting, "OPS")
        dedup = f"old-{item.key}" if item.doomed else item.key
        world.signal(
            item.action,
            project[item.tenant],
            dedup,
            key=key,
            labels={"service": item.service},
            starts_at=None if item.episode is None else BEGIN + item.episode * SECOND,
            run=False,
        )

    def _configure(self, tenant: int, change: str, seconds: int | None) -> None:
        world, project, rules = self.worlds[tenant], self.lasting[tenant], self._rules[tenant]
        match change:
            case "group":
                self._make(tenant, RuleKind.GROUP, group_by=("service",))
            case "suppress":
                noise = Condition(field="dedup_key", operator=Operator.EQUALS, value="c")
                self._make(tenant, RuleKind.SUPPRESS, conditions=(noise,))
            case "unrule":
                if rules:
                    world.configure(DeleteRule(rule_id=rules.pop()))
            case "automate":
                world.automate(project, close_after=seconds, start=True)
            case "rename":
                world.configure(UpdateProject(project_id=project, name=Sealed.plain("renamed")))
            case _:
                world.delete_project(self.doomed[tenant])

    def _make(self, tenant: int, kind: RuleKind, **given: Any) -> None:
        """Ask for a rule; its id follows from the command's."""
        body = CreateRule(project_id=self.lasting[tenant], name="rule", kind=kind, **given)
        command = self.worlds[tenant].configure(body)
        self._rules[tenant].append(derive(command, "rule"))
