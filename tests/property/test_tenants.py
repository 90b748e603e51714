"""What one tenant says never shows in what another has, though they share topics, partitions and batches."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from streams.cases.commands import Action
from streams.config.commands import CreateRule
from streams.config.rule import RuleKind
from tests.world import World
from topologies.guard import split
from topologies.testing import TopologyTestDriver

signals = st.tuples(st.sampled_from(list(Action)), st.sampled_from(["a", "b"]))
others = st.one_of(signals, st.sampled_from(["close", "create", "delete", "suppress", "group", "foreign"]))


def happen(world: World, project: str, event: Any) -> None:
    match event:
        case (Action() as action, str(key)):
            world.signal(action, project, key, run=False)
        case "close" if world.cases():
            world.close(world.cases()[0].case_id)
        case "create":
            world.create(project)
        case "delete":
            world.delete_project(project)
        case "suppress":
            world.configure(CreateRule(project_id=project, name="all", kind=RuleKind.SUPPRESS))
        case "group":
            world.configure(CreateRule(project_id=project, name="all", kind=RuleKind.GROUP, group_by=("dedup_key",)))


@settings(max_examples=60)
@given(own=st.lists(signals, max_size=12), theirs=st.lists(others, max_size=12), data=st.data())
def test_a_tenant_among_others_is_a_tenant_alone(own: list[Any], theirs: list[Any], data: st.DataObject) -> None:
    alone = World(TopologyTestDriver(partitions=1), name="ours").register()
    shared = TopologyTestDriver(partitions=1)
    among, other = World(shared, name="ours").register(), World(shared, name="theirs").register()
    project, same, foreign = alone.project(), among.project(), other.project()
    assert project == same
    for event in own:
        for _ in range(data.draw(st.integers(0, 2))):
            if theirs:
                said = theirs.pop()
                # The other names our project as if it were its own.
                happen(other, same if said == "foreign" else foreign, "create" if said == "foreign" else said)
        happen(alone, project, event)
        happen(among, same, event)
        # In step: what crosses on its way may come out otherwise, whoever else there is.
        alone.driver.run()
        shared.run()
    assert alone.cases() == among.cases()
    assert alone.receipts() == among.receipts()
    assert alone.outcomes() == among.outcomes()
    for (stage, partition), rows in alone.driver.rows.items():
        for key, row in rows.rows.items():
            assert _state(shared.rows[stage, partition].rows[key]) == _state(row)
    for topic in ("case.events", "alert.events", "config.events"):
        for record in shared.records(topic):
            decoded = codec.decode(record.value)
            named = (record.key or b"").decode()
            assert named == decoded.envelope.tenant_id or named.startswith(f"{decoded.envelope.tenant_id}/")


def _state(row: bytes) -> bytes:
    return split(row)[1]
