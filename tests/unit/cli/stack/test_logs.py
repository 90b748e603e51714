from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.stack.command import app
from infra.cli.stack.folder import Folder
from infra.cli.stack.log_line import readable
from infra.cli.stack.logs import NoLog, follow, last, path_of


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.at(tmp_path)
    made.create()
    return made


def test_the_last_lines_are_found_over_many_blocks(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("".join(f"line {n} {'x' * 90}\n" for n in range(5_000)))
    lines, position = last(log, 1_500)
    assert [line.split()[1] for line in lines] == [str(n) for n in range(3_500, 5_000)]
    assert position == log.stat().st_size


@pytest.mark.parametrize(("count", "expected"), [(0, []), (2, ["b", "c"]), (9, ["a", "b", "c"])])
def test_as_many_lines_as_are_asked_for(tmp_path: Path, count: int, expected: list[str]) -> None:
    log = tmp_path / "api.log"
    log.write_text("a\nb\nc\n")
    assert last(log, count)[0] == expected


def test_following_yields_whole_lines_through_a_cut_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("old\n")
    _, position = last(log, 0)
    done = threading.Event()
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(follow(log, position, ended=done.is_set)))
    reader.start()

    def await_lines(count: int) -> None:
        # `extend` of a generator adds them one by one.
        for _ in range(500):
            if len(seen) >= count:
                return
            threading.Event().wait(0.01)
        pytest.fail(f"only {seen} came")

    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        await_lines(1)
        file.write("o\n")
    await_lines(2)
    log.write_text("")
    threading.Event().wait(0.5)
    log.write_text("three\n")
    await_lines(3)
    done.set()
    reader.join(5)
    assert seen == ["one", "two", "three"]


def test_an_unknown_name_is_answered_with_those_that_are_known(folder: Folder) -> None:
    with pytest.raises(NoLog, match=r"worker.*kafka"):
        path_of(folder, "work")


def test_a_log_that_is_not_there_says_why(folder: Folder) -> None:
    with pytest.raises(NoLog, match="never ran"):
        path_of(folder, "api")
    with pytest.raises(NoLog, match="external"):
        path_of(folder, "kafka")


def test_logs_prints_json_as_it_is_where_nobody_watches(folder: Folder) -> None:
    entry = json.dumps({"at": "2026-01-02T03:04:05.678Z", "level": "info", "event": "ready"})
    folder.log("api").write_text(entry + "\n")
    done = CliRunner().invoke(app, ["logs", "api", "--data-dir", str(folder.root)])
    assert (done.exit_code, done.output) == (0, entry + "\n")


def test_a_json_line_is_readable_for_a_person() -> None:
    line = json.dumps(
        {
            "event": "the role ends",
            "level": "critical",
            "at": "2026-11-24T22:17:56.940754Z",
            "role": "api",
            "logger": "role",
            "cause": "ValueError: no",
            "exception": "Traceback\n  here",
        }
    )
    assert readable(line) == "22:17:56.940 critical the role ends  cause=ValueError: no\nTraceback\n  here"


@pytest.mark.parametrize("line", ["plain words", '{"event": "half', '{"event": "no time"}', "[1, 2]", "null"])
def test_any_other_line_stays_as_it_is(line: str) -> None:
    assert readable(line) == line
