"""One role as a child process: started with its environment, asked whether it is ready."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.cli.role import CONFIG, USAGE
from infra.cli.stack.log_line import readable
from infra.engines.ports import HOST
from infra.engines.process import Command, Process

PROBE_SECONDS: Final = 1.5
STOP_SECONDS: Final = 25.0
LOOK_SECONDS: Final = 0.4
NO_ANSWER: Final = "does not answer yet"
READY_PROBE_SECONDS: Final = 2.0
_INHERITED: Final = ("PYTHONPATH", "SSL_CERT_FILE", "LANG", "MALLOC_ARENA_MAX")


class Role:
    """name: as `infra.cli.role` knows it. env: its CASESTREAM_* variables. health_port: where it says whether it is ready."""

    def __init__(self, name: str, *, log: Path, env: Mapping[str, str], health_port: int, cwd: Path) -> None:
        self.name = name
        self.look_seconds = LOOK_SECONDS
        self.probe_seconds = READY_PROBE_SECONDS
        self.health_port = health_port
        self.process = Process(name, log, stop_seconds=STOP_SECONDS)
        self._cwd = cwd
        inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        self._env = {
            # Many small processes: fewer arenas keep each one small.
            "MALLOC_ARENA_MAX": "2",
            "PYTHONUNBUFFERED": "1",
            **inherited,
            **env,
            "CASESTREAM_ROLE": name,
            "CASESTREAM_HEALTH_PORT": str(health_port),
        }

    @property
    def pid(self) -> int | None:
        return self.process.pid

    def ended(self) -> str | None:
        if self.process.pid is not None:
            return None
        return "\n".join(readable(line) for line in str(self.process.explain()).splitlines())

    def hopeless(self) -> bool:
        return self.process.exit_code in {USAGE, CONFIG}

    def start(self) -> None:
        """Start it; `readiness` says when it is ready."""
        self.process.start(
            # -P: a folder of the user's that happens to be called `streams` is not our package.
            Command(argv=(sys.executable, "-P", "-m", "infra.cli.role", self.name), cwd=self._cwd, env=self._env)
        )

    def readiness(self) -> str | None:
        """Return None when it is ready, else why it is not."""
        connection = http.client.HTTPConnection(HOST, self.health_port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            body = answer.read()
        except OSError:
            return NO_ANSWER if self.process.pid is not None else "not running"
        except http.client.HTTPException as error:
            return f"its health answer is broken: {error!r}"
        finally:
            connection.close()
        return None if answer.status == http.HTTPStatus.OK else _cause(body)


def _cause(body: bytes) -> str:
    try:
        checks = json.loads(body)["checks"]
        causes = [f"{name}: {check.get('cause')}" for name, check in checks.items() if not check.get("ready")]
    except (ValueError, LookupError, AttributeError, TypeError):
        return body[:200].decode(errors="replace")
    return "; ".join(causes) or "not ready"
