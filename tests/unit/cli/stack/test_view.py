from __future__ import annotations

import io
import json
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from infra.cli.stack.board import DOWN, READY, STARTING, Board, new
from infra.cli.stack.view import LiveTable, PlainLines, render, say_how_to_try, view

STACK = {
    "http": "http://127.0.0.1:8080",
    "grpc": "127.0.0.1:8081",
    "kafka": "127.0.0.1:9092",
    "postgres": "postgresql://casestream_reader:secretword@127.0.0.1:5432/casestream",
    "elasticsearch": "http://127.0.0.1:9200",
    "redis": "redis://127.0.0.1:6379/0",
    "tenants": [
        {
            "tenant_id": "t",
            "name": "Acme",
            "kind": "oncall",
            "api_key": "a" * 32,
            "application_key": "b" * 40,
            "routing_key": "c" * 32,
            "project_id": "p",
        }
    ],
}


def terminal(width: int = 100) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, force_terminal=True, color_system=None), out


def pipe(width: int = 80) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width), out


@pytest.fixture
def board() -> Board:
    return new({"kafka": "engine", "api": "role"})


def drawn(board: Board, *, now: float = 0.0) -> str:
    console, out = pipe(120)
    console.print(render(board.snapshot, now=now or board.snapshot.began + 5, moving=False))
    return out.getvalue()


def test_the_table_has_a_line_for_each_with_state_memory_and_cause(board: Board) -> None:
    board.line("kafka", state=READY, pid=4711, megabytes=373)
    board.line("api", state=DOWN, note="ended (signal SIGKILL); starting it again in 1 s")
    board.restarted("api")
    board.phase("roles")
    text = drawn(board)
    assert "starting the roles" in text
    kafka = next(line for line in text.splitlines() if "kafka" in line)
    assert all(word in kafka for word in ("ready", "373", "4711"))
    api = next(line for line in text.splitlines() if "api" in line)
    assert all(word in api for word in ("down", "SIGKILL", " 1 "))


def test_a_download_shows_how_far_it_is(board: Board) -> None:
    board.state("download", "12 files, 100 MB")
    board.expect(12, 100_000_000)
    board.arrived("kafka_2.13-4.3.1.jar", 25_000_000)
    text = drawn(board)
    assert "25 of 100 MB" in text
    assert "kafka_2.13-4.3.1.jar" in text


def test_a_ready_stack_says_in_what_time_and_with_how_much_memory(board: Board) -> None:
    board.line("kafka", state=READY)
    board.line("api", state=READY)
    board.ready(21.4, 1850)
    assert "ready in 21 s, 1850 MB resident" in drawn(board)


def test_plain_lines_say_each_change_once_and_whole(board: Board) -> None:
    console, out = pipe(40)
    shown = view(console)
    assert isinstance(shown, PlainLines)
    board.listeners.append(shown)
    board.phase("roles")
    board.line("api", state=STARTING)
    board.line("api", megabytes=12)
    board.line("api", state=DOWN, note="ended (exit code 1); starting it again in 0.3 s")
    board.note("kafka still ran from an earlier start, and was stopped")
    lines = [line[10:].strip() for line in out.getvalue().splitlines()]
    assert lines == [
        "starting the roles",
        "api  starting",
        "api  down: ended (exit code 1); starting it again in 0.3 s",
        "kafka still ran from an earlier start, and was stopped",
    ]


def test_plain_lines_do_not_repeat_what_was_shown_already(board: Board) -> None:
    board.phase("roles")
    board.line("api", state=READY)
    console, out = pipe()
    board.listeners.append(PlainLines(console, last=board.snapshot))
    board.line("api", megabytes=80)
    assert out.getvalue() == ""
    board.line("api", state=DOWN)
    assert "api  down" in out.getvalue()


def test_a_terminal_gets_a_table_that_stays_when_it_ends(board: Board) -> None:
    console, out = terminal()
    shown = view(console)
    assert isinstance(shown, LiveTable)
    with shown:
        board.listeners.append(shown)
        board.line("api", state=READY)
    assert "api" in out.getvalue()
    assert out.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in out.getvalue()


def test_the_first_commands_can_be_copied_whole_from_a_narrow_terminal() -> None:
    console, out = pipe(60)
    say_how_to_try(console, STACK, folder="/work/.casestream", default_folder=True)
    (curl,) = (line for line in out.getvalue().splitlines() if "/v2/enqueue" in line)
    words = shlex.split(curl)
    event = json.loads(words[words.index("-d") + 1])
    assert event["routing_key"] == "c" * 32
    assert event["event_action"] == "trigger"
    (listing,) = (line for line in out.getvalue().splitlines() if "/api/v2/cases" in line)
    assert "DD-APPLICATION-KEY: " + "b" * 40 in shlex.split(listing)


def test_no_password_is_shown() -> None:
    console, out = pipe()
    say_how_to_try(console, STACK, folder="/work/.casestream", default_folder=True)
    assert "secretword" not in out.getvalue()
    assert "127.0.0.1:5432/casestream" in out.getvalue()


def test_another_folder_is_named_in_every_command_that_needs_it(tmp_path: Path) -> None:
    console, out = pipe(200)
    say_how_to_try(console, STACK, folder=str(tmp_path), default_folder=False)
    assert f"casestream demo --data-dir {tmp_path}" in out.getvalue()
    assert f"case-cli watch --stack {tmp_path}" in out.getvalue()
