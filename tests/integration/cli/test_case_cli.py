"""`case-cli` against a whole running stack: what a person and a script do in the first five minutes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from tests.stack import Stack

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Result:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this stack's file, as `casestream up` writes it."""
    folder = tmp_path_factory.mktemp("case-cli")
    (folder / "stack.json").write_text(json.dumps({"http": stack.http, "tenants": stack.tenants}))
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CASESTREAM_STACK", str(folder))

    def invoke(*arguments: str, exits: int = 0, stdin: str | None = None) -> Result:
        done = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)
        assert done.exit_code == exits, f"{arguments}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return Result(exit_code=done.exit_code, out=done.stdout, err=done.stderr)

    return invoke


@pytest.fixture
def key(run: Run) -> str:
    """A case of its own for a test."""
    created = run("cases", "create", "Checkout is slow", "--priority", "P2", "--json").json
    return str(created["data"]["attributes"]["key"])


def await_that(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_case_is_created_changed_and_read_back(run: Run, key: str) -> None:
    user = str(uuid.uuid4())

    changed = run(
        *("cases", "update", key, "--title", "Checkout is down ✓", "--description", "Since noon.\nSee the graph."),
        *(
            "--priority",
            "p1",
            "--assignee",
            user,
            "--due-date",
            "2031-03-01",
            "--attribute",
            "team=db",
            "--status",
            "closed",
        ),
        *("--resolved-reason", "Index added"),
    )

    assert changed.out == f"Updated {key}  Closed  P1  Checkout is down ✓\n"
    sheet = run("cases", "get", key).out
    assert sheet.startswith(f"{key}  Checkout is down ✓\nClosed  P1\n")
    for line in (
        f"Assignee    {user}",
        "Reason      Index added",
        "Due         2031-03-01",
        "Attributes  team=db",
        "See the graph.",
    ):
        assert f"{line}\n" in sheet
    attributes = run("cases", "get", key.lower(), "--json").json["data"]["attributes"]
    assert (attributes["status"], attributes["priority"]) == ("CLOSED", "P1")


def test_attributes_that_are_not_named_stay(run: Run, key: str) -> None:
    run("cases", "update", key, "--attribute", "team=db", "--attribute", "team=web", "--attribute", "region=eu")
    run(
        "cases",
        "update",
        key,
        "--attribute",
        "region=",
        "--attribute",
        "tier=1",
        "--assignee",
        "none",
        "--due-date",
        "none",
    )

    attributes = run("cases", "get", key, "--json").json["data"]["attributes"]
    assert attributes["attributes"] == {"team": ["db", "web"], "tier": ["1"]}


def test_what_is_repeated_under_its_key_is_done_once(run: Run) -> None:
    once = str(uuid.uuid4())
    command = ("cases", "create", "Only one", "--attribute", "team=db", "--idempotency-key", once, "--json")

    first, second = run(*command).json, run(*command).json

    assert first["data"]["id"] == second["data"]["id"]
    refused = run("cases", "create", "Another", "--idempotency-key", once, exits=1)
    assert "Idempotency-Key" in refused.err


def test_comments_and_activity_tell_what_happened(run: Run, key: str) -> None:
    run("cases", "comment", key, "Looking 🔥")
    run("cases", "comment", key, "-", stdin="Two\nlines\n")
    run("cases", "assign", key, str(uuid.uuid4()))
    run("cases", "assign", key, "none")
    run("cases", "archive", key)
    run("cases", "unarchive", key)

    comments = run("cases", "timeline", key)
    assert [
        c["attributes"]["cell_content"]["message"] for c in run("cases", "timeline", key, "--json").json["data"]
    ] == [
        "Looking 🔥",
        "Two\nlines",
    ]
    assert comments.out.index("Looking 🔥") < comments.out.index("Two\nlines")
    activity = run("cases", "activity", key).out
    words = ("opened", "comment", "assignee", "archived", "unarchived")
    assert [activity.index(word) for word in words] == sorted(activity.index(word) for word in words)


def test_a_case_is_found_by_its_words_and_by_what_it_is(run: Run) -> None:
    word = f"zebra{uuid.uuid4().hex[:10]}"
    found = run("cases", "create", f"The {word} is loose", "--priority", "P3", "--json").json["data"]["attributes"][
        "key"
    ]
    run("cases", "create", f"Another {word}", "--priority", "P4")

    await_that(lambda: len(run("cases", "search", word, "--json").json["data"]) == 2)

    narrowed = run(
        "cases", "search", f"{word} OR {word}x", "--priority", "P3", "--priority", "P5", "--status", "OPEN", "--json"
    )
    assert [c["attributes"]["key"] for c in narrowed.json["data"]] == [found]
    assert run("cases", "search", f'"{word} is loose"').out.splitlines()[1].startswith(found)
    listed = run("cases", "list", "-n", "2", "--sort", "priority").out.splitlines()
    assert listed[0].split() == ["KEY", "PRIO", "STATUS", "TITLE", "ASSIGNEE", "CREATED", "CHANGED"]
    assert len(listed) == 3


def test_a_query_that_is_none_is_said_with_its_place(run: Run) -> None:
    refused = run("cases", "search", "status:(OPEN", exits=1)

    assert "filter: the query ends in the middle" in refused.err


def test_an_alert_comes_to_a_case_and_ends_it(run: Run) -> None:
    alert = f"disk-{uuid.uuid4().hex[:8]}"

    sent = run(
        "alerts",
        "send",
        "Disk is 95% full on db1",
        "--source",
        "db1",
        "-k",
        alert,
        "--detail",
        "used=95%",
        "--wait",
        "--json",
    ).json
    case_id = sent["receipt"]["relationships"]["case"]["data"]["id"]

    assert (sent["dedup_key"], sent["receipt"]["attributes"]["state"]) == (alert, "folded")
    assert alert in run("alerts", "list").out
    acknowledged = run("alerts", "send", "--action", "acknowledge", "-k", alert, "--wait").out
    assert "folded  it changed a case" in acknowledged
    assert "In Progress  P1  Disk is 95% full on db1" in acknowledged
    run("alerts", "send", "--action", "resolve", "-k", alert, "--wait")
    case = run("cases", "get", case_id, "--json").json["data"]["attributes"]
    assert (case["status"], case["title"]) == ("CLOSED", "Disk is 95% full on db1")
    assert alert not in run("alerts", "list").out
    late = run("alerts", "send", "--action", "resolve", "-k", alert, "--wait", "--json").json
    assert late["receipt"]["attributes"]["state"] == "dropped"
    assert run("signals", "get", late["signal_id"]).out.startswith("dropped")
    assert run("signals", "get", str(uuid.uuid4()), exits=3).out == ""


def test_a_rule_suppresses_what_it_is_for_until_it_is_gone(run: Run) -> None:
    host = f"host-{uuid.uuid4().hex[:8]}"
    send = ("alerts", "send", "Noise", "--source", host, "--wait", "--json")

    rule = run("rules", "create", "Quiet", "--kind", "suppress", "--when", f"source={host}", "--json").json["data"][
        "id"
    ]
    assert run(*send).json["receipt"]["attributes"]["state"] == "suppressed"
    assert rule in run("rules", "list").out
    run("rules", "update", rule, "--disable", "--name", "Off")
    assert run(*send).json["receipt"]["attributes"]["state"] == "folded"
    shown = run("rules", "get", rule).out
    assert shown.startswith("Off\n")
    assert f"When        source={host}\n" in shown
    run("rules", "delete", rule, "--yes")
    assert run("rules", "get", rule, exits=3).out == ""


def test_projects_are_created_changed_and_deleted(run: Run) -> None:
    name = f"T{uuid.uuid4().hex[:6].upper()}"
    cases = ("--tenant", "case_management")

    run("projects", "create", name, "Trial", *cases)
    run("projects", "update", name, "--name", "Trial 2", *cases)
    created = run("cases", "create", "First", "-p", name, *cases, "--json").json

    assert created["data"]["attributes"]["key"] == f"{name}-1"
    assert f"{name}  Trial 2" in run("projects", "get", name.lower(), *cases).out
    assert "there are several projects" in run("cases", "create", "x", *cases, exits=2).err.lower()
    taken = run("projects", "create", name, "Again", *cases, exits=1)
    assert name in taken.err
    run("projects", "delete", name, "--yes", *cases)
    assert name not in run("projects", "list", *cases).out
    # Another tenant has never heard of it.
    assert "There is no project" in run("projects", "get", name, exits=3).err


@pytest.mark.parametrize(
    ("arguments", "exits", "said"),
    [
        (("cases", "get", "NOPE-1"), 3, "To look in another tenant: --tenant case_management."),
        (("cases", "create", "x" * 161), 1, "title: "),
        (("cases", "create", " "), 1, "title: "),
        (("cases", "comment", "NOPE-1", "x"), 3, "Error: "),
        (("alerts", "send", "x", "--routing-key", "wrong"), 1, "Error: Invalid routing key."),
        (("alerts", "send", "x" * 1025), 1, "1024"),
        (("cases", "list", "--api-key", "wrong"), 4, "DD-API-KEY: the API key is not valid."),
        (("cases", "list", "--sort", "colour"), 1, "sort[field]: "),
        (("cases", "list", "--url", "http://127.0.0.1:9", "--api-key", "a", "--application-key", "b"), 5, "Nothing answers"),
    ],
)  # fmt: skip
def test_what_does_not_work_is_said_and_can_be_told_apart(
    run: Run, *, arguments: tuple[str, ...], exits: int, said: str
) -> None:
    refused = run(*arguments, exits=exits)

    assert said in refused.err
    assert "Traceback" not in refused.err


def test_a_case_of_one_tenant_is_unknown_to_another(run: Run, key: str) -> None:
    case_id = run("cases", "get", key, "--json").json["data"]["id"]

    assert run("cases", "get", case_id, "--tenant", "case_management", exits=3).out == ""


def _as_from_a_terminal() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watch:
    """`case-cli watch` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        path = os.pathsep.join(str(ROOT / part) for part in ("", "command-api", "query-api"))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli.case.command", "watch", "--stack", str(folder), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
            # Whoever runs the tests in the background ignores Ctrl-C, and so would the child.
            preexec_fn=_as_from_a_terminal,  # noqa: PLW1509 - it takes no lock
        )
        self._lines: Queue[str] = Queue()
        self._first: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, happens: Callable[[], object]) -> None:
        """Make something happen until it is seen: what was before the watch was connected is not its business."""
        deadline = time.monotonic() + 30
        while True:
            assert time.monotonic() < deadline, "the watch saw nothing"
            happens()
            with suppress(Empty):
                self._first.append(self._lines.get(timeout=0.5))
                return

    def line(self) -> str:
        return self._first.pop() if self._first else self._lines.get(timeout=20)

    def end(self) -> str:
        """Wait for its end and return what it said on standard error."""
        assert self.process.stderr is not None
        self.process.wait(20)
        self._reader.join(20)
        return self.process.stderr.read()


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watch]:
    watch = Watch(folder, *arguments)
    with watch.process:
        try:
            yield watch
        finally:
            watch.process.kill()


def test_watch_shows_a_change_as_it_happens_and_ends_quietly(run: Run, folder: Path, key: str) -> None:
    with watching(folder, key) as watch:
        watch.until(lambda: run("cases", "comment", key, "Is anybody there?"))
        day, line = watch.line(), watch.line()
        watch.process.send_signal(signal.SIGINT)
        said = watch.end()

    assert time.strftime("%Y-%m-%d") in day
    assert key in line
    assert "comment  Is anybody there?" in line
    assert watch.process.returncode == 130
    assert said.splitlines() == ["Watching in Acme On-Call. Ctrl-C ends."]


def test_watch_as_json_passes_what_was_asked_for(run: Run, folder: Path) -> None:
    made: list[str] = []

    def create() -> None:
        run("cases", "create", "Loud", "--priority", "P1")
        made.append(run("cases", "create", "Quiet", "--priority", "P5", "--json").json["data"]["id"])

    with watching(folder, "--json", "--priority", "P5", "--count", "2") as watch:
        watch.until(create)
        first = json.loads(watch.line())
        run("cases", "update", made[-1], "--title", "Quieter")
        second = json.loads(watch.line())
        said = watch.end()

    assert first["attributes"]["kind"] == "case_opened"
    assert [entry["case"]["priority"] for entry in (first, second)] == ["P5", "P5"]
    assert {first["case"]["id"], second["case"]["id"]} <= set(made)
    assert (watch.process.returncode, said) == (0, "")
