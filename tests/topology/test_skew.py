"""Clocks that are years off change what is shown, never what is decided about order, versions, receipts and outcomes."""

from __future__ import annotations

import pytest

from streams.cases.case import Priority, Status
from streams.cases.commands import AddComment, ChangePriority
from streams.config.rule import RuleKind
from streams.text import Sealed
from tests.world import World

YEAR = 365 * 24 * 3600 * 1_000_000
TIMES = [-(2**63), -(2**53) - 1, -1, 0, 1, 2**53 + 1, 500 * YEAR, 2**63 - 1]


def story(world: World, ops: str, times: list[int | None]) -> list[str]:
    """Say the same with these clocks; return what became of each case."""

    def at(n: int) -> dict[str, int]:
        time = times[n % len(times)]
        return {} if time is None else {"occurred_at": time, "recorded_at": time}

    world.rule(ops, RuleKind.GROUP, group_by=("service",), window=300)
    for n in range(8):
        world.trigger(ops, f"a{n % 3}", labels={"service": f"s{n}"}, **at(n))
        world.acknowledge(ops, f"a{n % 3}", **at(n + 1))
        world.resolve(ops, f"a{n % 3}", **at(n + 2))
    for n, case in enumerate(world.cases()):
        world.tell(case.case_id, ChangePriority(priority=Priority.P2), **at(n))
        world.tell(case.case_id, AddComment(message=Sealed.plain("when?")), **at(n + 3))
    return [f"{case.key} {case.version} {case.status} {case.priority} {case.comments}" for case in world.cases()]


@pytest.mark.parametrize("first", range(len(TIMES)))
def test_skewed_clocks_change_no_decision(world: World, ops: str, first: int) -> None:
    sound = World().register()
    expected = story(sound, sound.project("OPS"), [None])
    assert story(world, ops, [*TIMES[first:], *TIMES[:first]]) == expected
    assert {case.status for case in world.cases()} == {Status.CLOSED}
    world.check()
    assert world.driver.causes == []
