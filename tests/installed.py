"""Fixture `platform`: the platform as its users run it. The wheel in an environment of its own, `casestream up` in an empty
folder, engines of its own. Once a session, for end-to-end and chaos tests.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests import wheel
from tests.engines import data_folder, kept_folder

UP_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Platform:
    """A stack that was started by the installed `casestream`. folder: the user's; the data is in `.casestream` there."""

    folder: Path

    @property
    def stack(self) -> dict[str, Any]:
        """What `stack.json` says."""
        document: dict[str, Any] = json.loads((self.folder / ".casestream" / "stack.json").read_text())
        return document

    def run(self, program: str, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run an installed program in the user's folder."""
        return wheel.run(program, *arguments, cwd=self.folder, seconds=seconds)

    def cli(self, *arguments: str) -> Any:
        """Run `case-cli ... --json` and return what it says; it must end well."""
        done = self.run("case-cli", *arguments, "--json")
        assert done.returncode == 0, f"{arguments}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout)

    def status(self) -> dict[str, Any]:
        done = self.run("casestream", "status", "--json")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def pid(self, name: str) -> int:
        """The process of a role or engine, as `status` names it."""
        (line,) = [line for line in self.status()["lines"] if line["name"] == name]
        assert line["pid"] is not None, line
        return int(line["pid"])

    def kill(self, name: str) -> int:
        """End a role or engine as a crash does, with its children. Returns which process it was."""
        pid = self.pid(name)
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        return pid

    def await_back(self, name: str, killed: int, *, seconds: float = 120) -> None:
        """Wait until the supervisor has brought another process of this name up, and all of the stack is ready."""

        def back() -> bool:
            status = self.status()
            (line,) = [line for line in status["lines"] if line["name"] == name]
            return line["pid"] not in {None, killed} and bool(status["ready"])

        await_(back, seconds=seconds, what=f"{name} is back")


def await_(condition: Callable[[], bool], *, seconds: float, what: str, pause: float = 0.2) -> None:
    """Look until `condition` holds; AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(pause)


@contextmanager
def installed(*options: str, keep: bool = False) -> Iterator[Platform]:
    """A platform, up. Ports are any free ones, so that it stands beside whatever else runs. keep: leave its folder."""
    with ExitStack() as held:
        folder = kept_folder() if keep else held.enter_context(data_folder())
        running = Platform(folder)
        ports = [f"--{name}-port=0" for name in ("http", "grpc", "kafka", "postgres", "elasticsearch", "redis")]
        try:
            done = running.run("casestream", "up", "--detach", *ports, *options, seconds=UP_SECONDS)
            assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            (folder / "up.txt").write_text(done.stdout)
            yield running
        finally:
            running.run("casestream", "down", seconds=120)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The platform of this session."""
    with installed() as running:
        yield running
