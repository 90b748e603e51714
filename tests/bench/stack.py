"""A whole platform as `casestream up` starts it, in a folder of its own, and what CPU each of its processes takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.engines import data_folder
from tests.wheel import ROOT

START_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """facts: what `stack.json` says."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def port(self) -> int:
        return int(self.facts["http"].rpartition(":")[2])

    def cpu(self) -> dict[str, float]:
        """CPU seconds that each process has taken, with all of its children; Postgres is many."""
        return {name: _cpu(pid) for name, pid in {**self.facts["pids"], "supervisor": self.facts["supervisor"]}.items()}

    def memory_mb(self) -> float:
        """Resident megabytes of all roles, engines left out."""
        roles = set(self.facts["pids"]) - {"kafka", "postgres", "elasticsearch", "redis"}
        return sum(psutil.Process(self.facts["pids"][name]).memory_info().rss for name in roles) / 2**20


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    total = 0.0
    for one in [process, *(process.children(recursive=True) if "postgres" in process.name() else ())]:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
            # A session of Postgres that ended counts there, and nowhere else any more.
            total += times.children_user + times.children_system if one is process else 0.0
    return total


@contextmanager
def running() -> Iterator[Stack]:
    """Bring a stack up and take it down again."""
    with data_folder() as folder:
        command = [sys.executable, "-m", "infra.cli.stack.command"]
        where = ("--data-dir", str(folder))
        ports = [
            word
            for name in ("http", "grpc", "kafka", "postgres", "elasticsearch", "redis")
            for word in (f"--{name}-port", "0")
        ]
        subprocess.run(
            [*command, "up", "--detach", *where, *ports],
            cwd=ROOT,
            check=True,
            timeout=START_SECONDS,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Stack(folder=folder, facts=json.loads((folder / "stack.json").read_text()))
        finally:
            subprocess.run(
                [*command, "down", *where], cwd=ROOT, check=True, timeout=START_SECONDS, stdout=subprocess.DEVNULL
            )
