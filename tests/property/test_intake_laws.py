"""The laws of intake: KEY-n without gap or duplicate, and signals of an alert in their order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.cases.case import STANDARD_TYPE
from streams.cases.events import CaseOpened
from streams.intake.commands import CreateCase
from streams.intake.decide import Open, place
from streams.intake.project_intake import Attachment, Group
from streams.intake.way import Join, attach, onward
from streams.text import Sealed
from streams.topics import CASE_INTAKE
from tests.property.instances import uuid_of
from tests.world import World
from topologies.testing import Crash, TopologyTestDriver

KEYS = ("OPS", "WEB")
creates = st.tuples(
    st.sampled_from(KEYS),
    st.sampled_from(["Help", ""]),
    st.sampled_from([STANDARD_TYPE, uuid_of(9)]),
    st.integers(1, 3),
)
stages = st.sampled_from(["intake", "cases"])
events = st.one_of(
    creates,
    creates,
    st.tuples(stages, st.builds(Crash, sends=st.one_of(st.integers(0, 4), st.just(999)), rows=st.integers(0, 3))),
    st.tuples(stages, st.integers(0, 5)),
    stages,
)


@settings(max_examples=150)
@given(said=st.lists(events, max_size=30), batch=st.integers(1, 4))
def test_numbers_have_no_gap_and_no_duplicate_whatever_the_order_the_crashes_and_the_repeats(
    said: list[Any], batch: int
) -> None:
    world = World(TopologyTestDriver(partitions=2, batch=batch)).register()
    projects = {key: world.project(key) for key in KEYS}
    wanted: dict[str, int] = dict.fromkeys(KEYS, 0)
    for event in said:
        match event:
            case (str(key), str(title), str(type_id), int(times)):
                envelope = world.envelope(key, reply_by=world.now)
                world.asked.append(envelope.id)
                body = CreateCase(project_id=projects[key], title=Sealed.plain(title), type_id=type_id)
                # The edge appends it again where it does not know whether the first time counted.
                for _ in range(times):
                    world.driver.put(CASE_INTAKE, f"{world.tenant_id}/{key}", envelope, body)
                wanted[key] += bool(title) and type_id == STANDARD_TYPE
            case (str(stage), Crash() as crash):
                world.driver.crash(stage, crash)
            case (str(stage), int(offset)):
                world.driver.rewind(stage, offset)
            case str(stage):
                world.driver.step(stage)
    world.driver.run()
    world.check(repeated=True)
    for key in KEYS:
        assert [c.number for c in world.cases() if c.project_key == key] == list(range(1, wanted[key] + 1))
    opened = {(d.body.project_key, d.body.number, d.envelope.id) for d in world.own("case.events") if _opens(d.body)}
    assert len(opened) == sum(wanted.values())


def _opens(body: object) -> bool:
    return isinstance(body, CaseOpened)


@settings(max_examples=300)
@given(data=st.data(), length=st.integers(1, 25))
def test_signals_arrive_in_order_at_the_case_that_takes_them(data: st.DataObject, length: int) -> None:
    """A model of intake and its cases as queues: whichever queue moves, and whichever case ends, nothing overtakes.

    Every signal is a trigger, so the last case to have been opened takes, in order, all that no earlier one took.
    """
    attachment: Attachment | None = None
    pending = list(range(1, length + 1))
    cases: dict[str, list[tuple[int, bool]]] = {}
    ended: set[str] = set()
    back: dict[str, list[int]] = {}
    taken: dict[str, list[int]] = {}

    def route(seq: int, source: str | None) -> None:
        nonlocal attachment
        there = onward(attachment, source)
        if there is None:
            there = Join(case_id=f"case-{len(cases)}")
            cases[there.case_id], back[there.case_id], taken[there.case_id] = [], [], []
        attachment = attach(attachment, there.case_id, seq, source)
        cases[there.via or there.case_id].append((seq, there.via is not None))

    def fold(name: str) -> None:
        seq, moved = cases[name].pop(0)
        (back if moved or name in ended else taken)[name].append(seq)

    while pending or any(cases.values()) or any(back.values()):
        moves = [("new", "")] * bool(pending)
        moves += [("fold", name) for name, queue in cases.items() if queue]
        moves += [("back", name) for name, queue in back.items() if queue]
        moves += [("end", name) for name in cases if name not in ended and len(ended) < 4]
        move, name = data.draw(st.sampled_from(moves))
        match move:
            case "new":
                route(pending.pop(0), None)
            case "fold":
                fold(name)
            case "back":
                route(back[name].pop(0), name)
            case _:
                ended.add(name)
    in_order = [seq for name in cases for seq in taken[name]]
    assert in_order == list(range(1, length + 1))
    assert attachment is not None
    assert attachment.path == ()


@given(
    at=st.integers(0, 10),
    joined=st.integers(1, 120),
    known=st.sampled_from([None, "a", "b"]),
    ended=st.sampled_from([None, "a", "b"]),
)
def test_a_trigger_never_joins_a_case_that_it_met_ended(
    at: int, joined: int, known: str | None, ended: str | None
) -> None:
    attachment = None if known is None else Attachment(case_id=known, seq=1)
    placed = place(attachment, Group(case_id="b", opened_at=0, joined=joined), None, at, ended)
    if isinstance(placed, Join):
        assert placed.case_id != ended
        assert placed.via is None
    else:
        assert placed == Open()
        assert known is None or known == ended
