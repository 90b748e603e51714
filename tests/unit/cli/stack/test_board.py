from __future__ import annotations

from infra.cli.stack.board import DOWN, READY, STARTING, Board, Line, Snapshot, new


def board() -> Board:
    return new({"kafka": "engine", "api": "role"})


def line(told: Board, name: str) -> Line:
    return next(line for line in told.snapshot.lines if line.name == name)


def phase(told: Board) -> str:
    return told.snapshot.phase


def is_ready(told: Board) -> bool:
    return told.snapshot.ready


def test_an_engine_that_says_ready_in_so_many_seconds_is_ready() -> None:
    told = board()
    told.state("kafka", "starting")
    assert line(told, "kafka").state == STARTING
    told.state("kafka", "ready in 3.1 s")
    assert line(told, "kafka").state == READY
    assert line(told, "kafka").note == ""


def test_an_external_engine_that_answers_is_ready() -> None:
    told = board()
    told.state("kafka", "answers")
    assert told.snapshot.ready_among({"kafka"})


def test_a_failed_engine_is_down_and_says_why() -> None:
    told = board()
    told.state("kafka", "failed: no memory")
    found = told.snapshot.lines[0]
    assert (found.state, found.note) == (DOWN, "no memory")


def test_a_stack_is_ready_only_when_it_was_brought_up_and_every_line_is_ready() -> None:
    told = board()
    told.line("kafka", state=READY)
    told.line("api", state=READY)
    assert not is_ready(told)
    told.ready(12.0, 900)
    assert is_ready(told)
    told.line("api", state=DOWN)
    assert not is_ready(told)
    assert told.snapshot.ready_among({"kafka"})


def test_since_changes_with_the_state_alone() -> None:
    told = board()
    told.line("api", state=READY)
    since = told.snapshot.lines[1].since
    assert since > 0
    told.line("api", megabytes=80)
    assert told.snapshot.lines[1].since == since


def test_a_download_is_counted_and_its_phase_ends_with_it() -> None:
    told = board()
    told.state("download", "3 files, 10 MB")
    told.expect(3, 10_000_000)
    told.arrived("a.jar", 4_000_000)
    told.arrived("a.jar", -4_000_000)
    told.arrived("a.jar", 6_000_000)
    assert phase(told) == "downloading"
    assert told.snapshot.download == (6_000_000, 10_000_000, "a.jar")
    told.state("download", "done")
    assert phase(told) == "engines"


def test_listeners_hear_changes_and_nothing_where_nothing_changed() -> None:
    told = board()
    heard: list[Snapshot] = []
    told.listeners.append(heard.append)
    told.line("api", state=STARTING)
    told.line("api", state=STARTING)
    told.line("nobody", state=STARTING)
    assert len(heard) == 1


def test_restarts_are_counted() -> None:
    told = board()
    told.restarted("api")
    told.restarted("api")
    assert [found.restarts for found in told.snapshot.lines] == [0, 2]


def test_a_snapshot_survives_its_json_form() -> None:
    told = board()
    told.expect(3, 10)
    told.note("kafka still ran")
    told.line("api", state=READY, pid=12, megabytes=80)
    told.ready(12.5, 900)
    assert Snapshot.from_json(told.snapshot.to_json()) == told.snapshot
