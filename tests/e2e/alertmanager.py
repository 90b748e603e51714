"""A Prometheus Alertmanager: the real program where it is installed, else its recorded notifications."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

PROGRAM: Final = "prometheus-alertmanager"
RECORDED: Final = Path(__file__).parents[1] / "fixtures" / "alertmanager"

CONFIG: Final = """\
route:
  receiver: casestream
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: casestream
    webhook_configs:
      - url: {url}/sources/alertmanager
        send_resolved: true
        http_config:
          authorization:
            credentials: {routing_key}
"""


class Alertmanager(Protocol):
    """Something that notifies the platform as Alertmanager does."""

    def fire(self, name: str, summary: str) -> None: ...

    def resolve(self, name: str, summary: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Real:
    """Debian's program on a loopback port."""

    url: str

    def fire(self, name: str, summary: str) -> None:
        self._post(name, summary, {})

    def resolve(self, name: str, summary: str) -> None:
        ended = datetime.now(UTC) - timedelta(milliseconds=10)
        self._post(name, summary, {"endsAt": ended.isoformat()})

    def _post(self, name: str, summary: str, times: dict[str, str]) -> None:
        alert = {
            "labels": {"alertname": name, "instance": "db1:9100", "severity": "critical"},
            "annotations": {"summary": summary},
            "generatorURL": "http://prometheus.example/graph",
            **times,
        }
        answer = httpx.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=10, trust_env=False)
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the real program sent once, with other names and times."""

    url: str
    routing_key: str

    def fire(self, name: str, summary: str) -> None:
        self._send("firing.json", name, summary)

    def resolve(self, name: str, summary: str) -> None:
        self._send("resolved.json", name, summary)

    def _send(self, file: str, name: str, summary: str) -> None:
        document: dict[str, Any] = json.loads((RECORDED / file).read_text())
        document["alerts"] = document["alerts"][:1]
        for alert in document["alerts"]:
            alert["labels"]["alertname"] = name
            alert["annotations"]["summary"] = summary
            alert["fingerprint"] = f"{abs(hash(name)):016x}"[:16]
        answer = httpx.post(
            f"{self.url}/sources/alertmanager",
            json=document,
            headers={"Authorization": f"Bearer {self.routing_key}"},
            timeout=10,
            trust_env=False,
        )
        assert answer.is_success, answer.text


@contextmanager
def alertmanager(url: str, routing_key: str, folder: Path) -> Iterator[Alertmanager]:
    """Give one that notifies `url` with this routing key."""
    program = shutil.which(PROGRAM)
    if program is None:
        yield Recorded(url, routing_key)
        return
    config = folder / "alertmanager.yml"
    config.write_text(CONFIG.format(url=url, routing_key=routing_key))
    port = _free_port()
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _await_ready(f"http://127.0.0.1:{port}", process, folder / "alertmanager.log")
        yield Real(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx.get(f"{url}/-/ready", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{PROGRAM} is not ready"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
