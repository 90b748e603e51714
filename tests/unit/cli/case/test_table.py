"""Tables fit the terminal; elsewhere every line is whole."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.table import Column, lay_out
from infra.cli.case.text import ago, clock, local, parse_time, when
from infra.cli.case.view import case_table
from tests.unit.cli.case.documents import USER_ID, case


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def output(monkeypatch: pytest.MonkeyPatch, columns: int, **environment: str) -> tuple[Output, Terminal]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    return Output(as_json=False, file=terminal, errors=terminal), terminal


CASES: list[dict[str, Any]] = [
    case(12, title="Der Bestellvorgang dauert länger als zehn Sekunden, seit der letzten Version von heute"),
    case(13, title="結帳頁面在新版本之後變慢了很多很多很多很多很多很多很多很多很多很多", assignee_id=USER_ID),
]


@pytest.mark.parametrize("columns", [60, 80, 100, 140, 200])
def test_no_line_is_wider_than_the_terminal(folder: object, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    out, terminal = output(monkeypatch, columns, NO_COLOR="1")

    case_table(out, CASES)

    lines = [Text.from_ansi(line).plain for line in terminal.getvalue().splitlines()]
    assert len(lines) == 3
    assert max(cell_len(line) for line in lines) <= columns
    assert all("OPS-1" in line for line in lines[1:])


def test_the_least_telling_columns_go_first(folder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def heading(columns: int) -> str:
        out, terminal = output(monkeypatch, columns, NO_COLOR="1")
        case_table(out, CASES)
        return " ".join(Text.from_ansi(terminal.getvalue()).plain.splitlines()[0].split())

    assert heading(140) == "KEY PRIO STATUS TITLE ASSIGNEE CREATED CHANGED"
    assert heading(80) == "KEY PRIO STATUS TITLE CREATED CHANGED"
    assert heading(64) == "KEY PRIO STATUS TITLE CREATED"
    assert heading(40) == "KEY PRIO STATUS TITLE"


def test_a_pipe_gets_whole_lines_without_colours(folder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    pipe = io.StringIO()

    case_table(Output(as_json=False, file=pipe, errors=pipe), CASES)

    assert all(c["attributes"]["title"] in pipe.getvalue() for c in CASES)
    assert "\x1b" not in pipe.getvalue()
    assert not any(line.endswith(" ") for line in pipe.getvalue().splitlines())


def test_colours_are_for_terminals_that_want_them(folder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured, terminal = output(monkeypatch, 100)
    case_table(coloured, CASES)
    plain, quiet = output(monkeypatch, 100, NO_COLOR="1")
    case_table(plain, CASES)

    assert "\x1b[1;33mOpen" in terminal.getvalue()
    assert "\x1b[1;33m" not in quiet.getvalue()
    assert "33m" not in quiet.getvalue()


def test_two_wide_columns_end_up_alike() -> None:
    columns = (Column("A", wide=True), Column("B", wide=True))

    lines = [line.plain for line in lay_out(columns, [("x" * 50, "y" * 100)], 62)]

    assert lines == ["A" + " " * 31 + "B", "x" * 29 + "…  " + "y" * 29 + "…"]


def test_json_is_indented_for_a_person_and_one_line_for_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    out, terminal = output(monkeypatch, 100)
    out.json({"a": ["ü"]})
    pipe = io.StringIO()
    Output(as_json=True, file=pipe).json({"a": ["ü"]})

    assert terminal.getvalue() == '{\n  "a": [\n    "ü"\n  ]\n}\n'
    assert pipe.getvalue() == '{"a": ["ü"]}\n'


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-03-01T13:05:08Z", "just now"),
        ("2026-03-01T13:04:39Z", "30 s ago"),
        ("2026-03-01T12:06:09Z", "59 min ago"),
        ("2026-02-28T13:05:10Z", "23 h ago"),
        ("2025-03-02T13:05:09Z", "364 d ago"),
        ("2024-01-01T00:00:00Z", "2 y ago"),
        ("2026-03-01T15:05:10Z", "in 2 h"),
        ("2026-03-01T12:05:09", "1 h ago"),
        (None, ""),
        ("", ""),
        ("yesterday", ""),
        (17, ""),
    ],
)
def test_how_long_ago_is_said_in_one_unit(folder: object, at: Any, said: str) -> None:
    assert ago(at) == said


def test_times_are_of_the_users_zone_with_its_summer_time(folder: object) -> None:
    assert local("2026-07-01T22:30:00.000001Z") == "2026-07-02 00:30"
    assert clock("2026-01-01T22:30:05Z") == "23:30:05"
    assert when("2026-01-01T22:30:05Z").startswith("2026-01-01 23:30 CET (")
    assert (local(None), clock(None), when(None), parse_time(None)) == ("", "", "", None)
