"""Episodes by `startsAt`: peers in HA repeat, and are not in step. Source: Prometheus Alertmanager, "webhook_config"."""

from __future__ import annotations

from streams.cases.case import Status
from tests.world import SECOND, World

FIRST, SECOND_ONE = 1_899_000_000 * SECOND, 1_899_000_600 * SECOND


def test_a_firing_that_a_peer_repeats_after_the_resolve_is_a_duplicate(world: World, ops: str) -> None:
    world.trigger(ops, starts_at=FIRST)
    world.resolve(ops, starts_at=FIRST)
    late = world.trigger(ops, starts_at=FIRST)
    assert world.receipt(late) == "deduplicated:stale_episode"
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    world.check()


def test_a_later_episode_opens_a_new_case(world: World, ops: str) -> None:
    world.trigger(ops, starts_at=FIRST)
    world.resolve(ops, starts_at=FIRST)
    world.trigger(ops, starts_at=SECOND_ONE)
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    world.check()


def test_a_late_resolve_of_an_earlier_episode_does_not_end_the_open_one(world: World, ops: str) -> None:
    world.trigger(ops, starts_at=FIRST)
    world.trigger(ops, starts_at=SECOND_ONE)
    late = world.resolve(ops, starts_at=FIRST)
    assert world.receipt(late) == "deduplicated:stale_episode"
    assert world.case("OPS-1").status is Status.OPEN
    world.check()


def test_a_firing_of_an_earlier_episode_than_the_open_one_is_a_duplicate(world: World, ops: str) -> None:
    world.trigger(ops, starts_at=SECOND_ONE)
    late = world.trigger(ops, starts_at=FIRST)
    assert world.receipt(late) == "deduplicated:stale_episode"
    assert world.case("OPS-1").alerts[0].triggers == 1
    world.check()


def test_both_peers_firing_and_resolving_make_one_case(world: World, ops: str) -> None:
    signals = [world.trigger(ops, starts_at=FIRST), world.trigger(ops, starts_at=FIRST)]
    ends = [world.resolve(ops, starts_at=FIRST), world.resolve(ops, starts_at=FIRST)]
    assert [world.receipt(s) for s in signals] == ["folded", "deduplicated"]
    assert [world.receipt(s) for s in ends] == ["folded", "dropped:no_open_alert"]
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    world.check()


def test_a_resolve_that_comes_before_its_firing_is_remembered(world: World, ops: str) -> None:
    early = world.resolve(ops, starts_at=FIRST)
    late = world.trigger(ops, starts_at=FIRST)
    assert world.receipt(early) == "dropped:no_open_alert"
    assert world.receipt(late) == "deduplicated:stale_episode"
    assert world.cases() == []
    world.trigger(ops, starts_at=SECOND_ONE)
    assert [case.status for case in world.cases()] == [Status.OPEN]
    world.check()


def test_a_resolve_of_a_later_episode_than_the_open_one_ends_it_and_both_are_over(world: World, ops: str) -> None:
    world.trigger(ops, starts_at=FIRST)
    world.resolve(ops, starts_at=SECOND_ONE)
    late = world.trigger(ops, starts_at=SECOND_ONE)
    assert world.receipt(late) == "deduplicated:stale_episode"
    assert [case.status for case in world.cases()] == [Status.CLOSED]
    world.check()


def test_the_same_episode_firing_on_after_people_closed_its_case_opens_another(world: World, ops: str) -> None:
    world.trigger(ops, starts_at=FIRST)
    world.close(world.case("OPS-1").case_id)
    world.trigger(ops, starts_at=FIRST)
    assert [case.status for case in world.cases()] == [Status.CLOSED, Status.OPEN]
    world.check()
