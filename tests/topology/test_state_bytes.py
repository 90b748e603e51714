"""An event carries the whole state after it, in the very bytes that the row keeps: encoded once."""

from __future__ import annotations

from schemas import codec
from streams.cases.case import Priority
from streams.cases.commands import AddComment, ChangePriority
from streams.ids import aggregate_key
from streams.text import Sealed
from streams.topics import CASE_EVENTS, CASE_REACTIONS
from tests.world import World
from topologies.guard import split


def test_the_state_of_an_event_is_the_rows_to_the_byte(world: World, ops: str) -> None:
    world.trigger(ops)
    case = world.case("OPS-1")
    key = aggregate_key(world.tenant_id, case.case_id).encode()
    for body in (ChangePriority(priority=Priority.P1), AddComment(message=Sealed.plain("not in the state"))):
        world.tell(case.case_id, body)
        newest = [record for record in world.driver.records(CASE_EVENTS) if record.key == key][-1]
        (row,) = [rows.rows[key] for at, rows in world.driver.rows.items() if at[0] == "cases" and key in rows.rows]
        state = split(row)[1]
        assert newest.value is not None
        assert newest.value.endswith(state[codec.HEADER_SIZE :])
        assert len(state) > 100
    assert b"not in the state" not in state
    copies = [record.value for record in world.driver.records(CASE_REACTIONS) if record.key == key]
    assert copies == [record.value for record in world.driver.records(CASE_EVENTS) if record.key == key]
