"""Each due timer fires once, none before its time, whatever comes again and wherever a stage dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from streams.clock import TimerFired
from streams.topics import CASE_COMMANDS, CASE_REACTIONS
from tests.alarms import ALARMS, RINGING, TENANT, after, setting
from topologies.faust.rows import Rows
from topologies.guard import newer
from topologies.partition import partition_of
from topologies.step import RowGroup
from topologies.testing import Crash, TopologyTestDriver
from topologies.timers import Timer, TimerIndex, scan, timer_key

BEGIN: Final = 1_900_000_000_000
NAMES: Final = ("one", "two", "late", "again", "instead", "now")
ROWS: Final = ("a", "b", "c", "d")

rows_said = st.sampled_from(ROWS)
timers_said = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(st.none(), st.integers(-3_000, 9_000).map(lambda due: BEGIN + due)), min_size=1
)
settings_said = st.tuples(rows_said, timers_said)
ticks_said = st.integers(-2, 12).map(lambda second: BEGIN + 1_000 * second)
said = st.lists(st.one_of(settings_said, ticks_said, ticks_said), max_size=25)
crashes = st.builds(Crash, sends=st.integers(0, 12), rows=st.integers(0, 12))
disturbances = st.lists(
    st.one_of(crashes, st.sampled_from(["step", "rewind"]), st.just(Crash(sends=10_000, rows=2))), max_size=30
)


def put(driver: TopologyTestDriver, log: Sequence[Any]) -> None:
    """Append a log. Its records keep their ids whatever ticks are between them."""
    n = 0
    for one in log:
        if isinstance(one, int):
            driver.put_tick(one)
        else:
            driver.put(CASE_REACTIONS, *setting(one[0], n, one[1]))
            n += 1


def make(batch: int, bound: int) -> TopologyTestDriver:
    return TopologyTestDriver(RINGING, partitions=2, batch=batch, fired_per_tick=bound, now=BEGIN)


def rung(driver: TopologyTestDriver) -> list[tuple[str, str]]:
    """Return the row and words of each that rang, each once, by partition in the order of the log."""
    seen: dict[str, tuple[str, str]] = {}
    for d in driver.decoded(CASE_COMMANDS):
        seen.setdefault(d.envelope.id, (d.envelope.aggregate_id, d.body.title.text))
    return list(seen.values())


@dataclass
class Model:
    """What should ring, told by one who has all timers in a list."""

    bound: int
    pending: dict[tuple[str, str], int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    last: int = 0
    rung: list[tuple[str, str]] = field(default_factory=list)

    def take(self, one: Any) -> None:
        if isinstance(one, int):
            self._tick(one)
        else:
            row, timers = one
            self.counts[row] += 1
            self._set(row, timers)

    def _set(self, row: str, timers: Any) -> list[tuple[str, str]]:
        for name, due in timers.items():
            if due is None:
                self.pending.pop((row, name), None)
            else:
                self.pending[row, name] = due
        return [(row, name) for name in timers]

    def _tick(self, at: int) -> None:
        if at <= self.last:
            return
        self.last = at
        due = sorted(
            (when, timer_key(f"{TENANT}/{row}", name), row, name) for (row, name), when in self.pending.items()
        )
        touched: set[tuple[str, str]] = set()
        fired = 0
        for when, _, row, name in due:
            if when > at or fired == self.bound or (row, name) in touched:
                continue
            fired += 1
            self.rung.append((row, f"{name} {when}"))
            self.counts[row] += 1
            del self.pending[row, name]
            touched |= {(row, name), *self._set(row, after(TimerFired(name=name, due=when), self.counts[row]))}


def modelled(log: Sequence[Any], bound: int) -> list[tuple[str, str]]:
    """Return what should ring, by partition."""
    found = []
    for partition in (0, 1):
        model = Model(bound)
        for one in log:
            if isinstance(one, int) or partition_of(f"{TENANT}/{one[0]}".encode(), 2) == partition:
                model.take(one)
        found += model.rung
    return found


@given(log=said, batch=st.sampled_from([1, 3, 500]), bound=st.sampled_from([1, 2, 3, 2_000]))
def test_what_is_due_rings_in_order_and_nothing_else_does(log: list[Any], batch: int, bound: int) -> None:
    driver = make(batch, bound)
    put(driver, log)
    driver.run()
    # What rang is in the partition of its row, and so are the commands that say so.
    assert rung(driver) == modelled(log, bound)
    assert driver.causes == []


@given(
    log=said,
    batch=st.sampled_from([1, 4, 500]),
    bound=st.sampled_from([1, 3, 2_000]),
    disturbed=disturbances,
)
def test_whatever_comes_again_and_wherever_it_dies_each_rings_once(
    log: list[Any], batch: int, bound: int, disturbed: list[Any]
) -> None:
    calm, stormy = make(500, bound), make(batch, bound)
    put(calm, log)
    calm.run()
    put(stormy, log)
    for one in disturbed:
        match one:
            case "step":
                stormy.step("alarms")
            case "rewind":
                stormy.rewind("alarms")
            case _:
                stormy.crash("alarms", one)
    stormy.run()
    assert rung(stormy) == rung(calm)
    assert {p: stormy.rows["alarms", p].rows for p in (0, 1)} == {p: calm.rows["alarms", p].rows for p in (0, 1)}
    # What is said again is said to the letter.
    assert {r.value for r in stormy.records(CASE_COMMANDS)} == {r.value for r in calm.records(CASE_COMMANDS)}


@given(log=said, bound=st.sampled_from([1, 3, 2_000]))
def test_none_rings_before_its_time_and_none_that_is_due_is_left(log: list[Any], bound: int) -> None:
    driver = make(500, bound)
    put(driver, log)
    driver.run()
    for d in driver.decoded(CASE_COMMANDS):
        assert int(d.body.title.text.split()[1]) * 1_000 <= d.envelope.occurred_at
        assert d.envelope.actor == "system:alarms"
        assert d.envelope.causation_id is not None
    driver.now = BEGIN + 12_000
    driver.advance(80_000)
    for partition in (0, 1):
        assert driver.rows["alarms", partition].due(driver.now) == []


@given(log=said, bound=st.sampled_from([1, 3, 2_000]))
def test_the_origin_of_what_rings_rises_for_whoever_it_tells(log: list[Any], bound: int) -> None:
    driver = make(500, bound)
    put(driver, log)
    driver.run()
    seen: dict[str, tuple[int, int]] = {}
    for d in driver.decoded(CASE_COMMANDS):
        origin = d.envelope.origin
        assert origin is not None
        place = (origin.offset, origin.n)
        assert place > seen.get(d.envelope.aggregate_id, (-1, 0))
        seen[d.envelope.aggregate_id] = place


@given(log=said, places=st.lists(st.integers(0, 24), max_size=10))
def test_two_clocks_come_to_the_same_as_one(log: list[Any], places: list[int]) -> None:
    doubled = list(log)
    for place in places:
        # The other clock says what was said already: it is as late as it likes.
        before = [one for one in doubled[:place] if isinstance(one, int)]
        if before:
            doubled.insert(place, max(before))
    alone, both = make(500, 2_000), make(500, 2_000)
    put(alone, log)
    put(both, doubled)
    alone.run()
    both.run()
    assert rung(alone) == rung(both)


keys = st.sampled_from([timer_key(f"t/{row}", name).encode() for row in ROWS for name in NAMES] + [b"t/a", b"t/b"])
written = st.lists(st.tuples(keys, st.one_of(st.none(), st.integers(0, 20)), st.booleans()), max_size=40)


@given(
    changes=written,
    upto=st.integers(-1, 21),
    asked=st.lists(st.integers(0, 40), max_size=6),
    forgotten=st.lists(st.integers(0, 40), max_size=3),
)
def test_the_index_of_timers_is_what_the_rows_say(
    changes: list[tuple[bytes, int | None, bool]], upto: int, asked: list[int], forgotten: list[int]
) -> None:
    rows, held = Rows(newer), dict[bytes, bytes]()
    for n, (key, due, removed) in enumerate(changes):
        value = None if removed else Timer(1, n, 0, due).encode()
        if n in forgotten:
            # What a worker reads of the changelog after a rebalance: all that is held, and this.
            kept = list(rows.items(0))
            rows.drop(0)
            rows.recover(0, [*kept, (key, value)])
        else:
            group: RowGroup = ((key, value),)
            rows.write(0, [group])
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
        if n in asked:
            # Looked at in part: what a tick does that has no room for more.
            assert [entry for entry, _ in zip(rows.of(0).due(upto), range(3), strict=False)] == scan(held, upto)[:3]
    assert list(rows.of(0).due(upto)) == scan(held, upto)
    assert list(rows.of(0).due(upto)) == scan(held, upto)


@given(times=st.lists(st.integers(0, 1_000), min_size=1, max_size=60))
def test_an_index_that_is_told_of_one_timer_again_and_again_does_not_grow(times: list[int]) -> None:
    rows = Rows(newer)
    list(rows.of(0).due(0))
    for n in range(3_000):
        rows.write(0, [((b"t/a|timer/x", Timer(1, n, 0, times[n % len(times)]).encode()),)])
        if n % 100 == 0:
            list(rows.of(0).due(0))
    index = getattr(rows.of(0), "timers")  # noqa: B009
    assert isinstance(index, TimerIndex)
    assert len(index) == 1
    assert len(index._heap) < 1_300


def test_ticks_that_come_at_once_after_an_outage_are_no_more_work_at_once_than_one() -> None:
    driver = make(500, 5)
    put(driver, [("abcd"[n % 4], {f"n{n}": BEGIN + n}) for n in range(40)])
    driver.run()
    for second in range(1, 12):
        driver.put_tick(BEGIN + 1_000 * second)
    steps = 0
    while driver.step("alarms"):
        steps += 1
        assert len(rung(driver)) <= 2 * 5 * steps
    assert len(rung(driver)) == 40
    assert steps >= 4


def test_a_timer_survives_its_bytes_and_nothing_else_is_one() -> None:
    timer = Timer(1, 2, 3, 4, bytes(range(16)), bytes(range(16, 32)))
    assert Timer.decode(timer.encode()) == timer
    assert Timer.decode(timer._replace(due=None).encode()).due is None


def test_a_timer_whose_logic_fails_goes_to_the_dead_letters_and_the_others_ring() -> None:
    driver = make(500, 2_000)
    put(driver, [("a", {"bad": BEGIN, "one": BEGIN + 1}), BEGIN + 1_000, BEGIN + 2_000])
    driver.run()
    assert rung(driver) == [("a", f"one {BEGIN + 1}")]
    (letter,) = driver.records(ALARMS.dead_letters)
    dead = codec.decode(letter.value)
    assert (dead.body, letter.key) == (TimerFired(name="bad", due=BEGIN), f"{TENANT}/a".encode())
    assert dict(letter.headers)["error"] == b"RuntimeError: it does not ring"


@pytest.mark.parametrize("bound", [2, 4, 2_000])
@pytest.mark.parametrize("written", range(7))
def test_a_tick_that_broke_off_half_way_goes_on_where_it_was(written: int, bound: int) -> None:
    log = [
        ("a", {"one": BEGIN, "two": BEGIN + 5, "again": BEGIN + 2}),
        ("b", {"instead": BEGIN + 1, "late": BEGIN + 3}),
        BEGIN + 1_000,
        BEGIN + 9_000,
    ]
    calm, stormy = make(500, bound), make(1, bound)
    put(calm, log)
    put(stormy, log)
    calm.run()
    for _ in range(2):
        stormy.step("alarms")
    stormy.crash("alarms", Crash(sends=10_000, rows=written))
    stormy.run()
    assert rung(stormy) == rung(calm) == modelled(log, bound)
    assert {r.value for r in stormy.records(CASE_COMMANDS)} == {r.value for r in calm.records(CASE_COMMANDS)}
