"""The types of the core are what they say: this file is checked by mypy as all are, and run as all are."""

from __future__ import annotations

from typing import assert_type

from schemas import codec
from streams.alerts.alert import Alert
from streams.cases import decide as case_decide
from streams.cases import fold as case_fold
from streams.cases.case import Case
from streams.cases.commands import ChangeTitle
from streams.cases.events import CaseEvent, CaseTitleChanged
from streams.decision import UNCHANGED, Accepted, Decision, Rejected, Unchanged, accept, reject
from streams.stage import Logic, Rows
from streams.text import Sealed
from tests.world import World
from topologies.batch_rows import BatchRows, Recent
from topologies.graph import TOPOLOGY, Stage, Topology
from topologies.runner import StageFold
from topologies.step import Fold, Record, Step
from topologies.testing import MemoryRows


def test_a_decision_is_events_a_rejection_or_nothing() -> None:
    event = CaseTitleChanged(title=Sealed.plain("a"), before=Sealed.plain("b"))
    assert_type(accept(event), Accepted[CaseTitleChanged] | Unchanged)
    assert_type(reject("code", "detail"), Rejected)
    command = ChangeTitle(title=Sealed.plain("a"))
    decision = case_decide.decide(command, None, None, World().envelope("case"))
    assert_type(decision, Decision[CaseEvent])
    match decision:
        case Accepted(events=events):
            assert_type(events, tuple[CaseEvent, ...])
        case Rejected(code=code):
            assert_type(code, str)
        case Unchanged():
            assert_type(decision, Unchanged)
    assert accept() is UNCHANGED


def test_a_fold_gives_a_state_or_none() -> None:
    assert_type(case_fold.fold(None, (), World().envelope("case")), Case | None)


def test_rows_are_read_by_kind() -> None:
    rows: Rows = BatchRows(MemoryRows(), Recent())
    assert_type(rows.get("key", Alert), Alert | None)


def test_a_stage_is_a_value_and_its_fold_is_a_fold() -> None:
    assert_type(TOPOLOGY, Topology)
    stage = TOPOLOGY.stage("cases")
    assert_type(stage, Stage)
    logic: Logic = stage.logic()
    fold: Fold = StageFold(stage, partitions=1)
    assert logic.carried(World().envelope("case"), ChangeTitle(title=Sealed.plain("a"))) is None
    assert_type(fold.fold(0, [Record(0, b"k", b"v")], MemoryRows()), Step)


def test_decoding_gives_a_record_whose_body_is_any() -> None:
    value = codec.encode(World().envelope("case"), ChangeTitle(title=Sealed.plain("a")))
    assert_type(codec.decode(value), codec.Decoded)
