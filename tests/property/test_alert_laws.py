"""The laws of alerts. A trigger is the one thing that may be said twice and counts twice: it is known by its id alone."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from streams.alerts.alert import Alert
from streams.alerts.commands import AlertCommand, AlertEnded, RecordSignal
from streams.alerts.decide import decide
from streams.alerts.events import AlertEvent
from streams.alerts.fold import fold
from streams.cases.case import AlertStatus
from streams.cases.commands import Action
from streams.decision import Accepted
from streams.envelope import Envelope
from streams.text import Sealed
from tests.property.instances import envelopes, uuid_of

by_somebody = envelopes(aggregate_id="0123456789abcdef/cpu")
signals = st.builds(
    RecordSignal,
    action=st.sampled_from(list(Action)),
    project_id=st.just(uuid_of(1)),
    project_key=st.just("OPS"),
    dedup_key=st.just("cpu"),
    summary=st.just(Sealed.plain("CPU")),
    starts_at=st.one_of(st.none(), st.integers(1, 5)),
)
commands: st.SearchStrategy[AlertCommand] = st.one_of(
    signals, signals, signals, st.builds(AlertEnded, case_id=st.just(uuid_of(2)), seq=st.integers(0, 8))
)
Said = list[tuple[AlertCommand, Envelope]]
sayings: st.SearchStrategy[Said] = st.lists(st.tuples(commands, by_somebody), max_size=15)


def tell(alert: Alert | None, command: AlertCommand, by: Envelope) -> tuple[Alert | None, tuple[AlertEvent, ...]]:
    decision = decide(command, alert)
    events = decision.events if isinstance(decision, Accepted) else ()
    return fold(alert, events, by, "OPS"), events


def after(said: Said) -> tuple[Alert | None, list[tuple[AlertEvent, Envelope]]]:
    alert: Alert | None = None
    events: list[tuple[AlertEvent, Envelope]] = []
    for command, by in said:
        alert, new = tell(alert, command, by)
        events += [(event, by) for event in new]
    return alert, events


@given(said=sayings, command=commands, by=by_somebody)
def test_an_accepted_signal_does_what_it_says_and_is_one_version(
    said: Said, command: AlertCommand, by: Envelope
) -> None:
    before, _ = after(said)
    alert, events = tell(before, command, by)
    assume(events)
    assert alert is not None
    assert len(events) == 1
    assert alert.version == (0 if before is None else before.version) + 1
    match command:
        case RecordSignal(action=Action.TRIGGER):
            assert alert.open
            assert alert.trigger_seq == alert.version
        case RecordSignal(action=Action.ACKNOWLEDGE):
            assert alert.status is AlertStatus.ACKNOWLEDGED
        case RecordSignal():
            assert not alert.open
        case AlertEnded(seq=seq):
            assert alert.status is (AlertStatus.RESOLVED if alert.trigger_seq <= seq else AlertStatus.TRIGGERED)


@given(said=sayings, command=commands, by=by_somebody)
def test_what_is_already_so_leaves_no_event(said: Said, command: AlertCommand, by: Envelope) -> None:
    assume(not isinstance(command, RecordSignal) or command.action is not Action.TRIGGER)
    alert, _ = tell(after(said)[0], command, by)
    assert tell(alert, command, by) == (alert, ())


@given(said=sayings, by=by_somebody, starts_at=st.integers(1, 5))
def test_an_episode_that_is_over_never_opens_again(said: Said, by: Envelope, starts_at: int) -> None:
    """Whatever the order in which its beginning and its end come."""
    alert, _ = after(said)
    over = alert is not None and alert.resolved_starts_at is not None and starts_at <= alert.resolved_starts_at
    firing = RecordSignal(
        action=Action.TRIGGER,
        project_id=uuid_of(1),
        project_key="OPS",
        dedup_key="cpu",
        summary=Sealed.plain("CPU"),
        starts_at=starts_at,
    )
    _, events = tell(alert, firing, by)
    assume(over)
    assert events == ()


@given(said=sayings)
def test_ends_of_episodes_only_move_on(said: Said) -> None:
    alert: Alert | None = None
    for command, by in said:
        before = alert
        alert, _ = tell(alert, command, by)
        if before is not None and before.resolved_starts_at is not None:
            assert alert is not None
            assert alert.resolved_starts_at is not None
            assert alert.resolved_starts_at >= before.resolved_starts_at
            assert alert.episode >= before.episode


@given(said=sayings, by=by_somebody, data=st.data())
def test_folding_all_is_folding_the_rest_onto_the_beginning(said: Said, by: Envelope, data: st.DataObject) -> None:
    _, happened = after(said)
    events = [event for event, _ in happened]
    at = data.draw(st.integers(0, len(events)))
    assert fold(None, events, by, "OPS") == fold(fold(None, events[:at], by, "OPS"), events[at:], by, "OPS")
