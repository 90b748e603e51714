"""Records what a real Alertmanager sends, into `tests/fixtures/alertmanager/`. By hand: `python -m tests.e2e.record_alertmanager`.

Two Alertmanagers that do not know each other get the same alerts, as peers of a cluster do that is split. All on
loopback; the program is `prometheus-alertmanager` of Debian, or `alertmanager` on the path.
"""

from __future__ import annotations

import json
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

FIXTURES: Final = Path(__file__).parent.parent / "fixtures" / "alertmanager"
PROGRAMS: Final = ("prometheus-alertmanager", "alertmanager")
DEADLINE_SECONDS: Final = 60.0

CONFIG: Final = """
route:
  receiver: casestream
  group_by: [service]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: casestream
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization:
            type: Bearer
            credentials: {key}
"""


class Received(ThreadingHTTPServer):
    """Takes notifications. bodies: (path, authorization, body), as they come."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: queue.Queue[tuple[str, str, dict[str, Any]]] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def until(self, wanted: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first notification that is wanted."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            path, _, body = self.bodies.get(timeout=max(deadline - time.monotonic(), 0.01))
            if wanted(path, body):
                return body


class _Handler(BaseHTTPRequestHandler):
    server: Received

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.put((self.path, self.headers.get("Authorization", ""), json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        pass


def program() -> str | None:
    """Return the path of an Alertmanager on this machine, None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@contextmanager
def alertmanager(executable: str, webhook: str, key: str = "recorded") -> Iterator[str]:
    """Run an Alertmanager that notifies `webhook`. Gives its URL once it is ready."""
    with tempfile.TemporaryDirectory(prefix="alertmanager-") as folder:
        config = Path(folder) / "alertmanager.yml"
        config.write_text(CONFIG.format(url=webhook, key=key))
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(
            [
                executable,
                f"--config.file={config}",
                f"--storage.path={folder}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.external-url=http://alertmanager.example.com",
                "--cluster.listen-address=",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await_ready(f"{url}/-/ready")
            yield url
        finally:
            process.terminate()
            process.wait(10)


def fire(url: str, *alerts: dict[str, Any]) -> None:
    """Send alerts to an Alertmanager as Prometheus does."""
    body = json.dumps(alerts).encode()
    request = Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"}, method="POST")
    urlopen(request, timeout=5).close()


def alert(name: str, instance: str, *, starts: datetime, **labels: str) -> dict[str, Any]:
    """Return an alert as Prometheus sends it."""
    return {
        "labels": {"alertname": name, "instance": instance, "service": "checkout", **labels},
        "annotations": {"summary": f"{name} on {instance}", "description": "More than 5 % of requests fail."},
        "startsAt": starts.isoformat(),
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=errors",
    }


def record(executable: str) -> dict[str, dict[str, Any]]:
    """Return notifications by name."""
    starts = datetime.now(UTC) - timedelta(minutes=2)
    noisy: dict[str, str] = {"severity": "critical", "team": "payments 💳", "path": "/api/v1/pay"}
    with ExitStack() as stack:
        received = Received()
        threading.Thread(target=received.serve_forever, daemon=True).start()
        stack.callback(received.shutdown)
        one = stack.enter_context(alertmanager(executable, f"{received.url}/one"))
        two = stack.enter_context(alertmanager(executable, f"{received.url}/two"))
        first = alert("HighErrorRate", "web-1:9090", starts=starts, **noisy)
        fire(one, first)
        firing = received.until(lambda path, body: path == "/one" and len(body["alerts"]) == 1)
        second = alert("HighLatency", "web-2:9090", starts=starts, severity="warning")
        third = alert("DiskFull", "web-3:9090", starts=starts, severity="info")
        fire(one, second, third)
        group = received.until(lambda path, body: path == "/one" and len(body["alerts"]) == 3)
        ended = datetime.now(UTC)
        fire(one, {**first, "endsAt": ended.isoformat()})
        mixed = received.until(lambda _, body: any(a["status"] == "resolved" for a in body["alerts"]))
        fire(one, {**second, "endsAt": ended.isoformat()}, {**third, "endsAt": ended.isoformat()})
        resolved = received.until(lambda path, body: path == "/one" and body["status"] == "resolved")
        # The other peer has heard of the alert and not of its end.
        fire(two, first)
        late = received.until(lambda path, _: path == "/two")
        fire(one, alert("HighErrorRate", "web-1:9090", starts=datetime.now(UTC), **noisy))
        again = received.until(lambda path, body: path == "/one" and body["status"] == "firing")
    return {
        "firing": firing,
        "group": group,
        "mixed": mixed,
        "resolved": resolved,
        "peer_late": late,
        "firing_again": again,
    }


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            urlopen(url, timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def main() -> int:
    executable = program()
    if executable is None:
        print("no Alertmanager here: install prometheus-alertmanager", file=sys.stderr)
        return 1
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name, body in record(executable).items():
        (FIXTURES / f"{name}.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
        print(name, [(a["status"], a["fingerprint"], a["startsAt"]) for a in body["alerts"]])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
