"""A server on a leash: how its end is noticed and explained."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from infra.engines import process
from infra.engines.process import Command, Process, rotate, tail
from infra.runtime.errors import EngineDied, NoSpace, PortTaken


def python(code: str) -> Command:
    return Command(argv=(sys.executable, "-c", textwrap.dedent(code)), cwd=Path("/"))


SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def wait_said(server: Process, text: str) -> None:
    server.wait_ready(lambda: text in server.tail(10), seconds=30)


def test_it_is_stopped_in_order_and_can_start_again(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python(SLEEPER))
    wait_said(server, "up")
    first = server.pid

    server.stop()

    assert server.exit_code == -signal.SIGTERM
    server.start(python(SLEEPER))
    wait_said(server, "up")
    assert server.pid not in {None, first}
    server.kill()
    assert server.exit_code == -signal.SIGKILL


def test_one_that_ends_at_its_start_is_explained_by_its_last_words(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python("raise SystemExit('my port is cursed')"))

    with pytest.raises(EngineDied, match=r"Thing ended \(exit code 1\)") as caught:
        server.wait_ready(lambda: False, seconds=30)

    assert "my port is cursed" in str(caught.value)
    assert str(tmp_path / "thing.log") in str(caught.value)


@pytest.mark.parametrize(
    ("words", "kind"),
    [("No space left on device", NoSpace), ("java.net.BindException: Address already in use", PortTaken)],
)
def test_known_last_words_become_errors_of_their_own(tmp_path: Path, words: str, kind: type[Exception]) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python(f"raise SystemExit({words!r})"))

    with pytest.raises(kind):
        server.wait_ready(lambda: False, seconds=30)


def test_one_that_is_too_slow_is_an_error(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python(SLEEPER))

    with pytest.raises(EngineDied, match="was not ready in 0 s"):
        server.wait_ready(lambda: False, seconds=0.2)

    server.kill()


def test_last_words_of_an_earlier_life_are_not_shown(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python("raise SystemExit('first life')"))
    with pytest.raises(EngineDied, match="first life"):
        server.wait_ready(lambda: False, seconds=30)
    server.start(python("raise SystemExit('second life')"))

    with pytest.raises(EngineDied, match="second life") as caught:
        server.wait_ready(lambda: False, seconds=30)

    assert "first life" not in str(caught.value)


def test_a_kill_takes_the_children_along(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    child = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); print('child', p.pid, flush=True); p.wait()"
    server.start(python(child))
    wait_said(server, "up")
    (pid,) = [int(line.split()[1]) for line in server.tail(10).splitlines() if line.startswith("child")]

    server.kill()

    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = f"""
        import sys, time
        from pathlib import Path
        from infra.engines.process import Command, Process
        server = Process("Thing", Path({str(tmp_path / "thing.log")!r}))
        server.start(Command(argv=(sys.executable, "-c", {SLEEPER!r}), cwd=Path("/")))
        print(server.pid, flush=True)
        time.sleep(600)
    """
    root = Path(process.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(parent)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        server = psutil.Process(pid)
        started.kill()

    server.wait(30)


def test_secrets_of_this_process_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "hush")
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python("import os; print(sorted(os.environ), flush=True); import time; time.sleep(600)"))
    wait_said(server, "PATH")

    assert "SOME_TOKEN" not in server.tail(10)
    server.kill()


def test_its_log_is_private(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    server.start(python(SLEEPER))
    server.kill()

    assert (tmp_path / "thing.log").stat().st_mode & 0o077 == 0


def test_a_long_log_is_moved_aside_while_its_writer_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "KEEP_BYTES", 100)
    log = tmp_path / "thing.log"
    with log.open("ab") as writer:
        writer.write(b"old line\n" * 20)
        writer.flush()

        rotate(log)

        writer.write(b"new line\n")
        writer.flush()
    assert log.read_text() == "new line\n"
    assert (tmp_path / "thing.log.1").read_text() == "old line\n" * 20


def test_the_tail_of_no_file_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "none", 3) == ""


def test_waiting_does_not_outlast_the_process(tmp_path: Path) -> None:
    server = Process("Thing", tmp_path / "thing.log")
    began = time.monotonic()
    server.start(python("pass"))

    with pytest.raises(EngineDied):
        server.wait_ready(lambda: False, seconds=200)

    assert time.monotonic() - began < 60
