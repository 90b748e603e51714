"""Configuration reaches every stage that needs it before anybody hears of it, and goes with its project."""

from __future__ import annotations

from streams.cases.case import STANDARD_TYPE, Status
from streams.config.changes import ProjectChanged, RulesChanged
from streams.config.commands import CreateProject, CreateRule, DeleteProject, DeleteRule, ReplaceRule, UpdateProject
from streams.config.rule import RuleKind
from streams.ids import derive
from streams.intake.commands import CreateCase
from streams.text import Sealed
from streams.topics import ALERT_COMMANDS, CASE_INTAKE, CONFIG_COMMANDS, CONFIG_EVENTS
from tests.world import World
from topologies.step import Outgoing
from topologies.testing import ALL_SENT, Crash, TopologyTestDriver


class Recorder(TopologyTestDriver):
    """A driver that keeps what is appended, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.appended: list[Outgoing] = []

    def append(self, record: Outgoing) -> None:
        self.appended.append(record)
        super().append(record)


def test_a_change_is_in_every_partition_before_the_event_is_sent() -> None:
    driver = Recorder()
    world = World(driver).register()
    ops = world.project("OPS")
    world.rule(ops, RuleKind.SUPPRESS)
    told = [
        (record.topic, record.partition)
        for record in driver.appended
        if record.topic in (ALERT_COMMANDS, CASE_INTAKE, CONFIG_EVENTS)
    ]
    everywhere = list(range(driver.partitions))
    own = told[0][1]
    assert told == [
        (CONFIG_EVENTS, own),
        *((CASE_INTAKE, p) for p in everywhere),
        (CONFIG_EVENTS, own),
        *((ALERT_COMMANDS, p) for p in everywhere),
        *((CASE_INTAKE, p) for p in everywhere),
        (CONFIG_EVENTS, own),
    ]


def test_whoever_sees_a_project_created_can_use_it_at_once(world: World) -> None:
    """In one batch with others even: the config stage has sent the change to all before it sends any event."""
    ops = world.project("OPS")
    assert world.outcome(world.create(ops)) == "accepted"
    assert world.case("OPS-1").project_id == ops
    world.check()


def test_only_topics_whose_stage_declares_that_it_needs_configuration_get_it(world: World, ops: str) -> None:
    world.rule(ops, RuleKind.SUPPRESS)
    world.delete_project(ops)
    told = {
        stage.name
        for stage in world.driver.topology.stages
        for record in world.driver.decoded(stage.reads)
        if isinstance(record.body, ProjectChanged | RulesChanged)
    }
    assert told == {stage.name for stage in world.driver.topology.stages if stage.config}


def test_alerts_of_a_deleted_project_are_rejected_and_its_open_cases_still_end(world: World, ops: str) -> None:
    world.trigger(ops, "attached")
    world.delete_project(ops)
    again = world.trigger(ops, "attached")
    new = world.trigger(ops, "new")
    follow = world.acknowledge(ops, "new")
    end = world.resolve(ops, "attached")
    assert world.receipt(again) == "deduplicated"
    assert world.receipt(new) == "rejected:project_not_found"
    assert world.receipt(follow) == "dropped:no_open_alert"
    assert world.receipt(end) == "folded"
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    world.check()


def test_a_trigger_that_returns_to_a_project_deleted_meanwhile_is_rejected(world: World, ops: str) -> None:
    world.trigger(ops)
    world.delete_project(ops)
    world.close(world.case("OPS-1").case_id)
    signal = world.trigger(ops)
    assert world.receipt(signal) == "rejected:project_not_found"
    assert len(world.cases()) == 1
    world.check()


def test_a_case_of_a_deleted_project_takes_commands_and_no_new_one_is_created(world: World, ops: str) -> None:
    world.create(ops)
    world.delete_project(ops)
    assert world.outcome(world.create(ops)) == "project.not_found"
    assert world.outcome(world.close(world.case("OPS-1").case_id)) == "accepted"
    world.check()


def test_a_new_project_with_the_key_of_a_deleted_one_goes_on_counting(world: World, ops: str) -> None:
    world.create(ops)
    world.delete_project(ops)
    again = world.project("OPS")
    assert again != ops
    assert world.outcome(world.create(ops)) == "project.not_found"
    assert world.outcome(world.create(again)) == "accepted"
    assert world.case("OPS-2").project_id == again
    world.check()


def test_a_routing_key_of_a_deleted_project_opens_nothing_in_the_new_one(world: World, ops: str) -> None:
    world.delete_project(ops)
    again = world.project("OPS")
    old, new = world.trigger(ops, "a"), world.trigger(again, "b")
    assert world.receipt(old) == "rejected:project_not_found"
    assert world.receipt(new) == "folded"
    world.check()


def test_rules_go_with_their_project(world: World, ops: str) -> None:
    rule = world.rule(ops, RuleKind.SUPPRESS)
    world.delete_project(ops)
    again = world.project("OPS")
    assert world.receipt(world.trigger(again)) == "folded"
    assert world.outcome(world.configure(ReplaceRule(rule_id=rule, name="x"))) == "rule.not_found"
    assert world.outcome(world.configure(DeleteRule(rule_id=rule))) == "rule.not_found"
    assert world.receipt(world.trigger(again, "mem")) == "folded"
    world.check()


def test_a_signal_that_was_suppressed_stays_so_though_its_rule_went_before_the_crash(world: World, ops: str) -> None:
    """The receipt is sent, then the process dies behind the rows of a later record: the rule's end must not count."""
    rule = world.rule(ops, RuleKind.SUPPRESS)
    signal = world.trigger(ops, run=False)
    envelope = world.envelope(world.tenant_id)
    world.driver.put(CONFIG_COMMANDS, world.tenant_id, envelope, DeleteRule(rule_id=rule))
    world.driver.step("config")
    world.driver.crash("alerts", Crash(sends=ALL_SENT.sends, rows=1_000))
    world.driver.run()
    assert world.receipt(signal) == f"suppressed:rule:{rule}"
    assert world.cases() == []
    world.check(repeated=True)


def test_a_create_that_was_rejected_stays_so_though_its_project_came_before_the_crash(world: World) -> None:
    """As above, in `intake`: the caller has read that the project does not exist."""
    driver = world.driver
    refused = world.envelope("OPS", reply_by=world.now)
    world.asked.append(refused.id)
    creation = world.envelope(world.tenant_id)
    project_id = derive(creation.id, "project")
    body = CreateCase(project_id=project_id, title=Sealed.plain("early"), type_id=STANDARD_TYPE)
    driver.put(CASE_INTAKE, f"{world.tenant_id}/OPS", refused, body)
    driver.put(CONFIG_COMMANDS, world.tenant_id, creation, CreateProject(key="OPS", name=Sealed.plain("Operations")))
    driver.step("config")
    driver.crash("intake", Crash(sends=ALL_SENT.sends, rows=1_000))
    driver.run()
    assert world.outcome(refused.id) == "project.not_found"
    assert world.cases() == []
    assert world.outcome(world.create(project_id)) == "accepted"
    world.check(repeated=True)


def test_what_configuration_refuses(world: World, ops: str) -> None:
    told = {
        "project.key_taken": world.configure(_create("OPS")),
        "project.key_invalid": world.configure(_create("ops")),
        "project.key_reserved": world.configure(_create("CASE")),
        "project.name_missing": world.configure(UpdateProject(project_id=ops, name=Sealed.plain(""))),
        "project.not_found": world.configure(DeleteProject(project_id=world.tenant_id)),
        "rule.group_by_missing": world.configure(CreateRule(project_id=ops, name="x", kind=RuleKind.GROUP)),
        "rule.not_found": world.configure(DeleteRule(rule_id=ops)),
        "unchanged": world.configure(UpdateProject(project_id=ops, name=Sealed.plain("Project OPS"))),
        "config.version_conflict": world.configure(
            UpdateProject(project_id=ops, name=Sealed.plain("New")), expected_version=9
        ),
    }
    assert {code: world.outcome(command) for code, command in told.items()} == {code: code for code in told}
    world.check()


def _create(key: str) -> CreateProject:
    return CreateProject(key=key, name=Sealed.plain("Name"))
