from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.cli.stack.back_off import PAUSES, STEADY_SECONDS, BackOff
from infra.cli.stack.board import DOWN, READY, STARTING, UNREADY, Board, Line, new
from infra.cli.stack.keeper import Keeper, first_sentence
from infra.engines.process import Command, Process
from infra.runtime.errors import EngineDied


class Child:
    """A real process that a test kills, beside a readiness that a test sets."""

    look_seconds = 0.02
    probe_seconds = 0.05

    def __init__(self, name: str, log: Path, program: str = "import time; time.sleep(60)") -> None:
        self.name = name
        self.cause: str | None = None
        self.refuses = 0
        self.starts = 0
        self.process = Process(name, log)
        self._program = program

    @property
    def pid(self) -> int | None:
        return self.process.pid

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self.refuses:
            raise EngineDied("there is no room. Its last words, from log:\nhelp")
        self.process.start(Command(argv=(sys.executable, "-c", self._program), cwd=Path("/")))

    def ended(self) -> str | None:
        return None if self.process.pid is not None else str(self.process.explain())

    def readiness(self) -> str | None:
        return self.cause

    def hopeless(self) -> bool:
        return self.process.exit_code == 78


def within(seconds: float, holds: Callable[[], object], about: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, about
        time.sleep(0.01)


@pytest.fixture
def board() -> Board:
    return new({"child": "role"})


@pytest.fixture
def keep(board: Board, tmp_path: Path) -> Iterator[Callable[..., tuple[Keeper, Child]]]:
    kept: list[tuple[Keeper, Child]] = []

    def begin(**given: object) -> tuple[Keeper, Child]:
        child = Child("child", tmp_path / "child.log")
        for name, value in given.items():
            setattr(child, name if hasattr(child, name) else f"_{name}", value)
        keeper = Keeper(child, board)
        kept.append((keeper, child))
        keeper.start()
        return keeper, child

    yield begin
    for keeper, child in kept:
        assert keeper.let_go(10)
        child.process.kill()


def line(board: Board) -> Line:
    return board.snapshot.lines[0]


def test_what_is_killed_is_started_again_and_the_board_tells(
    board: Board, keep: Callable[..., tuple[Keeper, Child]]
) -> None:
    states: list[tuple[str, str]] = []
    board.listeners.append(lambda s: states.append((s.lines[0].state, s.lines[0].note)))
    _, child = keep()
    within(10, lambda: line(board).state == READY, "it did not become ready")
    first = line(board).pid
    assert first is not None
    child.process.kill()
    within(10, lambda: line(board).state == READY and line(board).pid not in {None, first}, "it did not come back")
    assert line(board).restarts == 1
    down = [note for state, note in states if state == DOWN]
    assert down
    assert "SIGKILL" in down[0]
    assert "again in 0.3 s" in down[0]


def test_each_end_that_follows_soon_is_answered_more_slowly(
    board: Board, keep: Callable[..., tuple[Keeper, Child]]
) -> None:
    notes: list[str] = []
    board.listeners.append(lambda s: notes.append(s.lines[0].note))
    keeper, child = keep(program="raise SystemExit('no such planet')", cause="not yet")
    within(20, lambda: keeper.failed_starts >= 2, "it did not end twice")
    assert any("again in 0.3 s" in note for note in notes)
    within(10, lambda: any("again in 1 s" in note for note in notes), "the second pause is not longer")
    assert not keeper.ever_ready
    assert "no such planet" in keeper.last_words
    assert child.starts >= 2


def test_a_start_that_fails_is_tried_again(board: Board, keep: Callable[..., tuple[Keeper, Child]]) -> None:
    keeper, child = keep(refuses=1)
    within(10, lambda: line(board).state == READY, "it did not become ready")
    assert child.starts == 2
    assert "no room" in keeper.last_words


def test_one_late_answer_is_not_yet_a_failure_but_a_second_is(
    board: Board, keep: Callable[..., tuple[Keeper, Child]]
) -> None:
    keeper, child = keep(cause="recovering")
    within(10, lambda: line(board).note == "recovering", "its cause is not shown")
    assert line(board).state == STARTING
    assert not keeper.ever_ready
    child.cause = None
    within(10, lambda: line(board).state == READY, "it did not become ready")
    child.cause = "kafka is away"
    within(10, lambda: line(board).state == UNREADY, "it stayed ready")
    assert line(board).note == "kafka is away"
    child.cause = None
    within(10, lambda: line(board).state == READY, "it did not become ready again")
    assert line(board).restarts == 0


def test_a_wrong_setting_makes_another_start_hopeless(keep: Callable[..., tuple[Keeper, Child]]) -> None:
    keeper, _ = keep(program="raise SystemExit(78)", cause="not yet")
    within(10, lambda: keeper.hopeless, "exit code 78 was taken for an accident")


def test_a_keeper_that_lets_go_starts_nothing_more(board: Board, keep: Callable[..., tuple[Keeper, Child]]) -> None:
    keeper, child = keep()
    within(10, lambda: line(board).state == READY, "it did not become ready")
    assert keeper.let_go(10)
    child.process.kill()
    time.sleep(0.2)
    assert child.starts == 1
    keeper.stopped()
    assert (line(board).state, line(board).pid) == ("stopped", None)


def test_letting_go_does_not_wait_for_a_pause(keep: Callable[..., tuple[Keeper, Child]]) -> None:
    keeper, child = keep(program="raise SystemExit(1)", cause="not yet")
    within(20, lambda: child.starts >= 3, "it was not started three times")
    began = time.monotonic()
    assert keeper.let_go(10)
    assert time.monotonic() - began < 1.5


def test_pauses_grow_to_the_last_and_begin_anew_after_a_run_that_lasted() -> None:
    back_off = BackOff()
    assert [back_off.after(1) for _ in range(len(PAUSES) + 2)] == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert back_off.after(STEADY_SECONDS) == PAUSES[0]


def test_an_end_is_shown_without_its_last_words() -> None:
    error = "Kafka ended (signal SIGKILL). Somebody killed it. Its last words, from /logs/kafka.log:\nfoo\nbar"
    assert first_sentence(error) == "Kafka ended (signal SIGKILL). Somebody killed it"
    assert first_sentence("x ended (exit code 1). It said nothing in /log.") == "x ended (exit code 1)"
    assert first_sentence("") == "it ended"
