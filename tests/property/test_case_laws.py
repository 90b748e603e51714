"""The laws of cases: decide does what it is asked, says nothing when it is already so, and fold is a fold."""

from __future__ import annotations

from typing import Any, assert_never

from hypothesis import assume, given
from hypothesis import strategies as st

from streams.cases.case import STANDARD_TYPE, AlertStatus, Case, Comment, Priority, Status
from streams.cases.commands import (
    Action,
    AddComment,
    ApplySignal,
    ArchiveCase,
    AssignCase,
    CaseCommand,
    ChangeAttributes,
    ChangeDescription,
    ChangeDueDate,
    ChangePriority,
    ChangeResolvedReason,
    ChangeStatus,
    ChangeTitle,
    CloseInactiveCase,
    DeleteComment,
    EditComment,
    OpenCase,
    TransitionCase,
    UnarchiveCase,
    UnassignCase,
)
from streams.cases.decide import decide
from streams.cases.events import CaseEvent, CommentAdded, CommentDeleted
from streams.cases.fold import fold
from streams.decision import Accepted
from streams.envelope import Envelope
from streams.text import Sealed
from tests.property.instances import envelopes, uuid_of

CASE_ID = uuid_of(1)
ALERTS = st.sampled_from(["h/a", "h/b", "h/c"])
COMMENTS = st.sampled_from([uuid_of(n) for n in range(100, 103)])
texts = st.sampled_from(["a", "b", "Ünïcode 😀"]).map(Sealed.plain)
attributes = st.sampled_from([{}, {"env": ("prod",)}, {"env": ("prod", "eu"), "team": ("x",)}])

# Any seq for any alert: duplicates, gaps and late ones.
applied = st.builds(
    ApplySignal,
    action=st.sampled_from(list(Action)),
    alert_id=ALERTS,
    seq=st.integers(1, 9),
    signal_id=st.just(uuid_of(2)),
    title=texts,
    project_key=st.just("OPS"),
)
changes: st.SearchStrategy[CaseCommand] = st.one_of(
    applied,
    applied,
    st.builds(ChangeTitle, title=texts),
    st.builds(ChangeDescription, description=texts),
    st.builds(ChangeStatus, status=st.sampled_from(list(Status))),
    st.builds(ChangePriority, priority=st.sampled_from(list(Priority))),
    st.builds(AssignCase, assignee_id=st.sampled_from(["ada", "bob"])),
    st.just(UnassignCase()),
    st.builds(ChangeAttributes, attributes=attributes),
    st.builds(AddComment, message=texts),
    st.builds(EditComment, comment_id=COMMENTS, message=texts),
    st.builds(DeleteComment, comment_id=COMMENTS),
    st.just(ArchiveCase()),
    st.just(UnarchiveCase()),
    st.builds(ChangeDueDate, due_date=st.sampled_from([None, "2030-01-31", "2031-12-01"])),
    st.builds(ChangeResolvedReason, reason=texts),
    st.builds(
        TransitionCase, before=st.sampled_from(list(Status)), status=st.sampled_from([Status.OPEN, Status.IN_PROGRESS])
    ),
    st.builds(CloseInactiveCase, version=st.integers(1, 6)),
)
openings = st.builds(
    OpenCase,
    project_id=st.just(uuid_of(3)),
    project_key=st.just("OPS"),
    number=st.integers(1, 9),
    type_id=st.just(STANDARD_TYPE),
    title=texts,
    description=texts,
    status=st.sampled_from(list(Status)),
    priority=st.sampled_from(list(Priority)),
    attributes=attributes,
    alert_id=st.one_of(st.none(), ALERTS),
    seq=st.integers(0, 3),
)
by_somebody = envelopes(aggregate_id=CASE_ID)


class History:
    """A case as its commands make it, with the comments that its stage would keep."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.comments: dict[str, Comment] = {}
        self.events: list[tuple[CaseEvent, Envelope]] = []

    def comment(self, command: CaseCommand) -> Comment | None:
        named = command.comment_id if isinstance(command, EditComment | DeleteComment) else None
        return None if named is None else self.comments.get(named)

    def tell(self, command: CaseCommand, by: Envelope) -> tuple[CaseEvent, ...]:
        decision = decide(command, self.case, self.comment(command), by)
        events = decision.events if isinstance(decision, Accepted) else ()
        for event in events:
            self.case = fold(self.case, (event,), by)
            self.events.append((event, by))
            match event:
                case CommentAdded():
                    # Under a name that later commands can guess.
                    name = uuid_of(100 + len(self.comments))
                    self.comments[name] = Comment(comment_id=name, author=by.actor)
                case CommentDeleted(comment_id=name):
                    self.comments[name] = Comment(comment_id=name, author=by.actor, deleted=True)
                case _:
                    pass
        return events


@st.composite
def histories(draw: st.DrawFn) -> History:
    history = History()
    history.tell(draw(openings), draw(by_somebody))
    for command, by in draw(st.lists(st.tuples(changes, by_somebody), max_size=12)):
        history.tell(command, by)
    return history


def done(command: CaseCommand, case: Case, before: Case) -> bool:
    """Whether the case is as an accepted command asks."""
    match command:
        case OpenCase():
            return case.title == command.title and case.status is command.status and case.number == command.number
        case ChangeTitle(title=title):
            return case.title == title
        case ChangeDescription(description=description):
            return case.description == description
        case ChangeStatus(status=status):
            return case.status is status and (case.closed_at is not None) is (status is Status.CLOSED)
        case ChangePriority(priority=priority):
            return case.priority is priority
        case AssignCase(assignee_id=who):
            return case.assignee_id == who
        case UnassignCase():
            return case.assignee_id is None
        case ChangeAttributes(attributes=said):
            return case.attributes == said
        case AddComment():
            return case.comments == before.comments + 1
        case EditComment():
            return case.comments == before.comments
        case DeleteComment():
            return case.comments == before.comments - 1
        case ArchiveCase():
            return case.archived_at is not None
        case UnarchiveCase():
            return case.archived_at is None
        case ChangeDueDate(due_date=due):
            return case.due_date == due
        case ChangeResolvedReason(reason=reason):
            return case.resolved_reason == reason
        case ApplySignal():
            return _applied(command, case)
        case TransitionCase(before=was, status=status):
            return before.status is was and case.status is status
        case CloseInactiveCase(version=version):
            return before.version == version and case.status is Status.CLOSED and case.closed_at is not None
        case _:
            assert_never(command)


def _applied(command: ApplySignal, case: Case) -> bool:
    alert = case.alert(command.alert_id)
    if alert is None or alert.seq != command.seq:
        return False
    match command.action:
        case Action.TRIGGER:
            return alert.status is not AlertStatus.RESOLVED
        case Action.ACKNOWLEDGE:
            return alert.status is AlertStatus.ACKNOWLEDGED and case.status is not Status.OPEN
        case Action.RESOLVE:
            over = all(a.status is AlertStatus.RESOLVED for a in case.alerts)
            return alert.status is AlertStatus.RESOLVED and (case.status is Status.CLOSED) is over
        case _:
            assert_never(command.action)


@given(history=histories(), command=changes, by=by_somebody)
def test_an_accepted_command_does_what_it_asks_one_version_after_the_other(
    history: History, command: CaseCommand, by: Envelope
) -> None:
    before = history.case
    assert before is not None
    events = history.tell(command, by)
    assume(events)
    after = history.case
    assert after is not None
    assert after.version == before.version + len(events)
    assert done(command, after, before)
    assert (after.modified_at, after.modified_by) == (by.occurred_at, by.actor)


@given(opening=openings, by=by_somebody)
def test_opening_makes_the_case_that_was_asked_for_and_is_never_refused(opening: OpenCase, by: Envelope) -> None:
    history = History()
    assert len(history.tell(opening, by)) == 1
    assert history.case is not None
    assert history.case.version == 1
    assert done(opening, history.case, history.case)


@given(history=histories(), command=st.one_of(changes, openings), by=by_somebody)
def test_what_is_already_done_leaves_no_event(history: History, command: CaseCommand, by: Envelope) -> None:
    # An edit of a comment is known by its command's id alone: the fold keeps no text of comments (contracts, rows).
    assume(not isinstance(command, EditComment | AddComment))
    history.tell(command, by)
    after = history.case
    assert history.tell(command, by) == ()
    assert history.case == after


@given(history=histories(), by=by_somebody, message=texts)
def test_a_comment_that_is_there_is_not_added_again(history: History, by: Envelope, message: Sealed) -> None:
    there = Comment(comment_id="of this command", author=by.actor)
    assert not isinstance(decide(AddComment(message=message), history.case, there, by), Accepted)


@given(history=histories(), data=st.data())
def test_a_fold_may_be_cut_anywhere(history: History, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(history.events)))
    case: Case | None = None
    for event, by in history.events[:at]:
        case = fold(case, (event,), by)
    for event, by in history.events[at:]:
        case = fold(case, (event,), by)
    assert case == history.case


@given(opening=openings, commands=st.lists(changes, max_size=8), by=by_somebody, data=st.data())
def test_folding_all_is_folding_the_rest_onto_the_beginning(
    opening: OpenCase, commands: list[CaseCommand], by: Envelope, data: st.DataObject
) -> None:
    history = History()
    for command in (opening, *commands):
        history.tell(command, by)
    events = [event for event, _ in history.events]
    at = data.draw(st.integers(0, len(events)))
    assert fold(None, events, by) == fold(fold(None, events[:at], by), events[at:], by) == history.case


@given(history=histories(), ending=st.sampled_from([ArchiveCase(), ChangeStatus(status=Status.CLOSED)]), data=st.data())
def test_a_case_that_ended_takes_no_signal(history: History, ending: CaseCommand, data: st.DataObject) -> None:
    history.tell(ending, data.draw(by_somebody))
    assert history.case is not None
    assert history.case.ended
    assert history.tell(data.draw(applied), data.draw(by_somebody)) == ()


@given(command=changes, by=by_somebody)
def test_nothing_happens_to_a_case_that_was_never_opened(command: Any, by: Envelope) -> None:
    assert History().tell(command, by) == ()


@given(history=histories(), command=changes, by=by_somebody, version=st.integers(0, 30))
def test_another_version_than_the_expected_one_is_never_changed(
    history: History, command: CaseCommand, by: Envelope, version: int
) -> None:
    assert history.case is not None
    expecting = Envelope(
        tenant_id=by.tenant_id,
        aggregate_id=CASE_ID,
        id=by.id,
        correlation_id=by.id,
        source="api",
        actor=by.actor,
        occurred_at=by.occurred_at,
        recorded_at=by.recorded_at,
        expected_version=version,
    )
    assume(version != history.case.version)
    assert history.tell(command, expecting) == ()
