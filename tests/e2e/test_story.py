"""The main job, end to end: the installed platform, an alert of a real monitoring tool, and a person who deals with it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.case_management_api import CaseManagementApi

from tests import wheel
from tests.e2e.alertmanager import alertmanager
from tests.installed import Platform, await_

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]


def tenant_of(platform: Platform, kind: str = "oncall") -> dict[str, str]:
    tenant: dict[str, str] = next(t for t in platform.stack["tenants"] if t["kind"] == kind)
    return tenant


@pytest.fixture
def api(platform: Platform) -> Iterator[httpx.Client]:
    tenant = tenant_of(platform)
    keys = {"DD-API-KEY": tenant["api_key"], "DD-APPLICATION-KEY": tenant["application_key"]}
    with httpx.Client(base_url=platform.stack["http"], headers=keys, timeout=20, trust_env=False) as client:
        yield client


def test_the_platform_is_up_as_it_says(platform: Platform) -> None:
    status = platform.status()
    said = (platform.folder / "up.txt").read_text()

    assert status["ready"] is True
    assert status["ready_seconds"] <= 60
    assert status["ready_megabytes"] <= 3000
    assert platform.stack["http"] in said
    assert "MB" in said


def test_the_stack_file_is_private_and_has_what_clients_need(platform: Platform) -> None:
    path = platform.folder / ".casestream" / "stack.json"
    stack = platform.stack

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {"http", "grpc", "kafka", "postgres", "elasticsearch", "redis", "tenants"} <= stack.keys()
    assert sorted(t["kind"] for t in stack["tenants"]) == ["case_management", "oncall"]
    for tenant in stack["tenants"]:
        assert {
            *("tenant_id", "name", "kind", "api_key", "application_key", "routing_key", "project_id"),
        } <= tenant.keys()


def test_every_role_tells_whether_it_is_ready_and_what_it_measures(platform: Platform) -> None:
    for name, url in platform.stack["health"].items():
        assert httpx.get(f"{url}/healthz", timeout=10, trust_env=False).json()["role"] == name
        assert httpx.get(f"{url}/readyz", timeout=10, trust_env=False).json()["ready"] is True, name
        assert "# TYPE" in httpx.get(f"{url}/metrics", timeout=10, trust_env=False).text
    for path in ("/healthz", "/readyz"):
        assert httpx.get(platform.stack["http"] + path, timeout=10, trust_env=False).status_code == 200


def test_an_alert_of_a_monitoring_tool_becomes_a_case_that_is_worked_on_and_closes_when_it_resolves(
    platform: Platform, api: httpx.Client, tmp_path: Path
) -> None:
    tenant = tenant_of(platform)
    word = f"w{uuid.uuid4().hex[:10]}"
    summary = f"Disk of db1 is 95% full {word}"
    with alertmanager(platform.stack["http"], tenant["routing_key"], tmp_path) as tool, watching(platform) as lines:
        tool.fire(f"DiskFull{word}", summary)
        await_(lambda: bool(found(api, word)), seconds=30, what="the case can be searched")
        (case,) = found(api, word)
        key = case["attributes"]["key"]
        changed = platform.cli("cases", "update", key, "--status", "IN_PROGRESS", "--priority", "P2")
        platform.cli("cases", "comment", key, "Cleaning up old snapshots.")
        shown = platform.cli("cases", "get", key)
        tool.resolve(f"DiskFull{word}", summary)
        await_(
            lambda: api.get(f"/api/v2/cases/{key}").json()["data"]["attributes"]["status"] == "CLOSED",
            seconds=30,
            what="the case closes",
        )
        await_(lambda: told(lines, key, "CLOSED"), seconds=15, what="the watcher is told")

    assert case["attributes"]["title"] == summary
    assert case["attributes"]["status"] == "OPEN"
    assert changed["data"]["attributes"]["status"] == "IN_PROGRESS"
    assert shown["data"]["attributes"]["priority"] == "P2"
    kinds = [e["attributes"]["kind"] for e in api.get(f"/api/v2/cases/{key}/activity").json()["data"]]
    assert kinds[0] == "case_opened"
    assert {"case_status_changed", "case_priority_changed", "comment_added", "alert_resolved"} <= set(kinds)


def found(api: httpx.Client, word: str) -> list[dict[str, Any]]:
    answer = api.get("/api/v2/cases", params={"filter": word})
    assert answer.status_code == 200, answer.text
    cases: list[dict[str, Any]] = answer.json()["data"]
    return cases


class watching:  # noqa: N801 - it reads as what it does
    """`case-cli watch --json` in the background; gives the file that it writes to."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._file = platform.folder / f"watch-{uuid.uuid4().hex}.jsonl"

    def __enter__(self) -> Path:
        with self._file.open("wb") as output:
            self._process = subprocess.Popen(
                [str(wheel.installed() / "case-cli"), "watch", "--json"],
                cwd=self._platform.folder,
                env=wheel.environment(),
                stdout=output,
                stderr=subprocess.DEVNULL,
            )
        return self._file

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


def told(lines: Path, key: str, status: str) -> bool:
    return any(key in line and status in line for line in lines.read_text().splitlines())


def test_the_public_client_works_as_it_comes(platform: Platform) -> None:
    tenant = tenant_of(platform, "case_management")
    configuration: Any = Configuration(host=platform.stack["http"])  # type: ignore[no-untyped-call]
    configuration.api_key["apiKeyAuth"] = tenant["api_key"]
    configuration.api_key["appKeyAuth"] = tenant["application_key"]
    with ApiClient(configuration) as client:
        answer = CaseManagementApi(client).get_projects()  # type: ignore[no-untyped-call]

    assert tenant["project_id"] in [project.id for project in answer.data]
    assert answer._unparsed is False


def test_a_demo_shows_both_worlds_and_doubles_nothing(platform: Platform) -> None:
    def count() -> int:
        with psycopg.connect(platform.stack["postgres"]) as connection:
            row = connection.execute('SELECT count(*) FROM "case"').fetchone()
        assert row is not None
        return int(row[0])

    before = count()
    first = platform.run("casestream", "demo", seconds=180)
    after = count()
    again = platform.run("casestream", "demo", seconds=180)

    assert first.returncode == 0, first.stderr
    assert again.returncode == 0, again.stderr
    assert after > before + 5
    assert count() == after


def test_a_stack_that_is_killed_comes_back_with_its_ports_keys_and_data(platform: Platform) -> None:
    before, cases = platform.stack, platform.cli("cases", "list", "--limit", "100")
    os.kill(before["supervisor"], signal.SIGKILL)
    await_(lambda: not platform.status()["running"], seconds=30, what="the supervisor is gone")
    done = platform.run("casestream", "up", "--detach", seconds=300)

    assert done.returncode == 0, done.stdout + done.stderr
    after = platform.stack
    assert [after[name] for name in ("http", "grpc", "kafka", "postgres", "tenants")] == [
        before[name] for name in ("http", "grpc", "kafka", "postgres", "tenants")
    ]
    assert platform.cli("cases", "list", "--limit", "100")["data"] == cases["data"]
    logs = platform.run("casestream", "logs", "api", "-n", "5")
    assert all(json.loads(line)["role"] == "api" for line in logs.stdout.splitlines())
