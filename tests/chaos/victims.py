"""The processes of a running platform, as things that can be killed, stopped for a while, or given a rival."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final

import psutil
from confluent_kafka.admin import AdminClient
from psycopg import conninfo

from infra.engines.ports import any_free
from streams.topics import CASE_COMMANDS
from tests.installed import Platform, await_

BACK_SECONDS: Final = 180.0
PROBE_SECONDS: Final = 0.25


class Victims:
    """Names are those of `casestream status`: roles and engines, whichever the stack has."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._data = platform.folder / ".casestream"
        self._killed: dict[str, int] = {}

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What the supervisor says of each, read where `status` reads it, without the cost of a program's start."""
        return list(json.loads((self._data / "status.json").read_text())["lines"])

    def names(self, kind: str) -> list[str]:
        """The names of all "engine"s or "role"s."""
        return [line["name"] for line in self.lines if line["kind"] == kind]

    @property
    def ready(self) -> bool:
        """Whether all is ready, and what was killed runs as another process."""
        lines = self.lines
        return all(line["state"] == "ready" and line["pid"] != self._killed.get(line["name"]) for line in lines)

    def unready(self) -> str:
        return "; ".join(f"{x['name']}: {x['state']} {x['note']}" for x in self.lines if x["state"] != "ready")

    def pid(self, name: str) -> int | None:
        (line,) = [line for line in self.lines if line["name"] == name]
        pid: int | None = line["pid"]
        return pid

    def await_running(self, name: str) -> int:
        """Return the process of a name, once there is one."""
        await_(lambda: self._alive(name), seconds=BACK_SECONDS, what=f"a process of {name}", pause=PROBE_SECONDS)
        pid = self.pid(name)
        assert pid is not None
        return pid

    def kill(self, *names: str) -> None:
        """Kill with -9, each with its children, all before any comes back."""
        pids = {name: self.await_running(name) for name in names}
        self._killed |= pids
        for pid in pids.values():
            _send(pid, signal.SIGKILL)

    def ask_to_end(self, name: str, how: signal.Signals) -> None:
        """Send the process itself one signal, and return when it is gone."""
        pid = self.await_running(name)
        self._killed[name] = pid
        os.kill(pid, how)
        await_(lambda: not psutil.pid_exists(pid), seconds=BACK_SECONDS, what=f"{name} ends", pause=PROBE_SECONDS)

    def _alive(self, name: str) -> bool:
        pid = self.pid(name)
        return pid is not None and psutil.pid_exists(pid)

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """SIGSTOP them with their children for as long as the context lasts, then SIGCONT."""
        pids = [self.await_running(name) for name in names]
        try:
            for pid in pids:
                _send(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                _send(pid, signal.SIGCONT)

    @contextmanager
    def kept_down(self, name: str) -> Iterator[None]:
        """Kill it, and again whenever the supervisor has started it."""
        down = True

        def hunt() -> None:
            while down:
                pid = self.pid(name)
                if pid is not None:
                    _send(pid, signal.SIGKILL)
                time.sleep(PROBE_SECONDS)

        hunter = Thread(target=hunt, daemon=True)
        hunter.start()
        try:
            yield
        finally:
            down = False
            hunter.join()

    def environment(self, name: str) -> dict[str, str]:
        """Return what a role was told by its environment."""
        raw = Path(f"/proc/{self.await_running(name)}/environ").read_bytes().decode()
        return dict(entry.split("=", 1) for entry in raw.split("\0") if "=" in entry)

    @property
    def owner(self) -> str:
        """The DSN of the owner of the database, whose password the data folder keeps."""
        known = json.loads((self._data / "engines.json").read_text())
        return conninfo.make_conninfo(self.platform.stack["postgres"], user="casestream", password=known["owner"])

    @contextmanager
    def rival(self, name: str) -> Iterator[None]:
        """Run a second process of a role, told as the first one is, but with a name and files of its own.

        It takes over what the group takes from a first one that does not answer: the first, awake again, is a zombie.
        """
        told = self.environment(name)
        pid = self.await_running(name)
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        with tempfile.TemporaryDirectory(prefix="casestream-rival-") as folder:
            told |= {
                "CASESTREAM_INSTANCE_ID": f"{told['CASESTREAM_INSTANCE_ID']}-rival",
                "CASESTREAM_DATA_DIR": folder,
                "CASESTREAM_HEALTH_PORT": str(any_free(set())),
            }
            with (self._data / "logs" / f"{name}-rival.log").open("ab") as log:
                child = subprocess.Popen(argv, env=told, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                yield
            finally:
                child.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(20)
                child.kill()
                child.wait()

    def leader(self) -> str:
        """Return the Kafka node that leads the first partition of the commands to cases."""
        admin = AdminClient({"bootstrap.servers": self.platform.stack["kafka"], "log_level": 0})

        def found() -> int:
            return int(admin.list_topics(CASE_COMMANDS, timeout=10).topics[CASE_COMMANDS].partitions[0].leader)

        await_(lambda: found() > 0, seconds=60, what="a leader of the commands to cases")
        return self._node(found())

    def controller(self) -> str:
        """Return the Kafka node that the quorum of controllers follows, as its newest vote on disk has it."""
        votes = [
            json.loads(file.read_text())
            for file in self._data.glob("kafka*/log/__cluster_metadata-0/quorum-state")
            if file.stat().st_size
        ]
        newest = max(votes, key=lambda vote: vote["leaderEpoch"] if vote["leaderId"] > 0 else -1)
        return self._node(newest["leaderId"])

    def _node(self, number: int) -> str:
        names = [name for name in self.names("engine") if name.startswith("kafka")]
        return names[number - 1]


def _send(pid: int, how: signal.Signals) -> None:
    try:
        own = psutil.Process(pid)
        for process in (own, *own.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
    except psutil.NoSuchProcess:
        return
