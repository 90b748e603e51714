"""How long a person waits: writes at a fixed rate through the whole platform, and reads at the size that is there.

The load is open-loop: a request is due at its time whether or not the last one was answered, and its latency counts from
then, so that a stall is not hidden by the requests that it held back.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import httpx
from hdrh.histogram import HdrHistogram

from infra.cli.bootstrap import tenants
from infra.cli.role import STACK
from tests.bench.bench import Bench
from tests.bench.field import await_ready
from tests.bench.report import Report
from tests.caught_up import caught_up

RATE = 100
SECONDS = 20
READS = 300
WARM_UP = 10


def run(bench: Bench) -> None:
    """Measure on all roles, with the cases that the other benchmarks left."""
    field, report = bench.field, bench.report
    port = field.free_port()
    with ExitStack() as held:
        report.say("starting all roles")
        api = {"CASESTREAM_HTTP_PORT": str(port), "CASESTREAM_GRPC_PORT": str(field.free_port())}
        roles = [held.enter_context(field.role(name, **(api if name == "api" else {}))) for name in STACK]
        for role in roles:
            await_ready(role, seconds=300)
        report.say("waiting for the views to catch up with the log")
        deadline = time.monotonic() + 600
        while not caught_up(field.kafka, field.prepared.postgres_reader):
            if time.monotonic() > deadline:
                raise TimeoutError("the views did not catch up")
            time.sleep(0.5)
        tenant = tenants(field.prepared, field.folder)[1]
        asyncio.run(_measure(f"http://127.0.0.1:{port}", tenant, report))


async def _measure(url: str, tenant: dict[str, str], report: Report) -> None:
    headers = {"DD-API-KEY": tenant["api_key"], "DD-APPLICATION-KEY": tenant["application_key"]}
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30, trust_env=False) as client:

        async def create() -> None:
            answer = await client.post("/api/v2/cases", json=_body(tenant["project_id"]))
            answer.raise_for_status()

        async def signal() -> None:
            answer = await client.post("/v2/enqueue", json=_signal(tenant["routing_key"]))
            answer.raise_for_status()

        async def searchable() -> None:
            word = f"w{uuid.uuid4().hex[:12]}"
            answer = await client.post("/api/v2/cases", json=_body(tenant["project_id"], word))
            answer.raise_for_status()
            found = await client.get(
                "/api/v2/cases", params={"filter": word}, headers={"X-Position": answer.headers["X-Position"]}
            )
            found.raise_for_status()
            assert found.json()["data"], "the search did not see the write that it was to wait for"

        report.say(f"warming up: servers that have just started compile while they work, {WARM_UP} s")
        await _open_loop(create, RATE // 2, WARM_UP)
        await _open_loop(signal, RATE // 2, WARM_UP)
        report.say(f"creating cases at {RATE}/s for {SECONDS} s")
        _told(
            report,
            f"write to read-your-write answer, at {RATE}/s",
            await _open_loop(create, RATE, SECONDS),
            250,
            "write",
        )
        report.say(f"enqueueing signals at {RATE}/s for {SECONDS} s")
        _told(report, f"signal accepted, at {RATE}/s", await _open_loop(signal, RATE, SECONDS), 50, "signal")
        report.say("writing and searching at 10/s")
        _told(report, "write to searchable, at 10/s", await _open_loop(searchable, 10, SECONDS), 1_500, "searchable")
        for what, name, path, params in (
            ("list the newest cases", "list", "/api/v2/cases", {"page[size]": "50"}),
            ("search: filter and words", "search", "/api/v2/cases", {"filter": "status:open priority:P1 bench"}),
            ("facets", "facets", "/api/v2/cases/facets", {}),
        ):
            report.say(what)
            _told(report, f"{what}, one after the other", await _reads(client, path, params), 100, name)


def _told(report: Report, what: str, histogram: HdrHistogram, target: float, name: str) -> None:
    p99 = histogram.get_value_at_percentile(99) / 1000
    report.add(f"{what}: p50", histogram.get_value_at_percentile(50) / 1000, "ms", name=f"{name}_p50_ms")
    report.add(
        f"{what}: p99", p99, "ms", beside=(f"of the target of {target:g} ms", p99 / target), name=f"{name}_p99_ms"
    )


async def _open_loop(request: Callable[[], Awaitable[None]], rate: int, seconds: int) -> HdrHistogram:
    histogram = HdrHistogram(1, 120_000_000, 3)
    began = time.perf_counter()

    async def one(due: float) -> None:
        await request()
        histogram.record_value(max(1, int((time.perf_counter() - due) * 1_000_000)))

    running = set()
    for n in range(rate * seconds):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return histogram


async def _reads(client: httpx.AsyncClient, path: str, params: dict[str, str]) -> HdrHistogram:
    histogram = HdrHistogram(1, 120_000_000, 3)
    for _ in range(READS):
        began = time.perf_counter()
        (await client.get(path, params=params)).raise_for_status()
        histogram.record_value(max(1, int((time.perf_counter() - began) * 1_000_000)))
    return histogram


def _body(project_id: str, title: str = "bench") -> dict[str, Any]:
    return {
        "data": {
            "type": "case",
            "attributes": {"title": f"Checkout is slow {title}", "type_id": "00000000-0000-0000-0000-000000000001"},
            "relationships": {"project": {"data": {"type": "project", "id": project_id}}},
        }
    }


def _signal(routing_key: str) -> dict[str, Any]:
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": uuid.uuid4().hex,
        "payload": {"summary": "Latency is high", "source": "lb", "severity": "critical"},
    }
