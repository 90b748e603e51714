"""Signals over HTTP until each one's case is found by search, with all roles and engines on this machine.

Rates are offered one after the other, open-loop over 16 connections; a rate is held when nothing is refused and 99 of 100
cases are found within the bound. Then as many signals as 16 connections get answered, until all are found. Beside it the
floor: a bare Starlette that appends what it gets.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from hdrh.histogram import HdrHistogram

from infra.engines.ports import any_free
from tests.bench.bench import Bench
from tests.bench.report import Report
from tests.bench.search import GIVE_UP_SECONDS, Search
from tests.bench.stack import Stack, running
from tests.wheel import ROOT

CONNECTIONS: Final = 16
RATES: Final = (50, 100, 200, 500, 1_000, 1_500, 2_000)
TRICKLE: Final = 200
"""Up to this rate a step that is not held is a figure, and no reason to stop."""
STEP_SECONDS: Final = 5
WARM_UP: Final = ((300, 6), (900, 9))
SATURATED: Final = 10_000
FLOOR: Final = 8_000
BOUND_SECONDS: Final = 1.5
WRITES: Final = 200
WRITERS: Final = 64
"""Connections of those who create cases: each is held until its case can be read."""
TARGET: Final = 1_000
FLOOR_TOPIC: Final = "bench.pipe-floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What offering `count` signals came to. cpu_ms: of each process, a signal. found_per_s: over first due to last found."""

    name: str
    count: int
    missing: int
    refused: int
    accepted: HdrHistogram
    found: HdrHistogram
    found_per_s: float
    accepted_per_s: float
    cpu_ms: Mapping[str, float]

    @property
    def held(self) -> bool:
        return not self.missing and not self.refused and _ms(self.found, 99) <= BOUND_SECONDS * 1000


def run(bench: Bench) -> None:
    """Measure on a stack of its own, as `casestream up` starts it."""
    report = bench.report
    report.say("starting a stack")
    with running() as stack:
        for rate, seconds in WARM_UP:
            report.say(f"warming up: servers that have just started compile while they work, {seconds} s at {rate}/s")
            _offer(stack, f"warm{rate}", rate * seconds, rate)
        best = 0
        for rate in RATES:
            report.say(f"{rate} signals/s for {STEP_SECONDS} s")
            step = _offer(stack, f"rate{rate}", rate * STEP_SECONDS, rate)
            _told(report, step, rate)
            if step.held:
                best = rate
            elif rate > TRICKLE:
                break
        _writes(stack, report)
        report.say(f"{SATURATED:,} signals as fast as {CONNECTIONS} connections are answered")
        step = _offer(stack, "saturated", SATURATED, 0)
        floor, floor_cpu = _floor(stack, report)
        report.add(
            f"highest rate at which 99 of 100 are found within {BOUND_SECONDS} s",
            best,
            "signals/s",
            beside=("of the target", best / TARGET),
            name="sustained_per_s",
        )
        report.add(
            "HTTP signals to searchable, saturated",
            step.found_per_s,
            "signals/s",
            beside=("of the floor", step.found_per_s / floor),
            name="searchable_per_s",
        )
        report.add("accepted meanwhile", step.accepted_per_s, "signals/s", name="accepted_per_s")
        _costs(report, step, "saturated")
        report.note("missing", step.missing)
        report.add("floor: bare Starlette and produce", floor, "requests/s", name="floor_per_s")
        report.add("CPU of that floor", floor_cpu, "ms a request", name="floor_cpu_ms")
        report.add("memory of all roles", stack.memory_mb(), "MB", name="roles_mb")


def _told(report: Report, step: Step, rate: int) -> None:
    for what, histogram, name in (
        ("signal accepted", step.accepted, "accepted"),
        ("signal to searchable", step.found, "searchable"),
    ):
        for percentile in (50, 99):
            report.add(
                f"{what}, at {rate}/s: p{percentile}",
                _ms(histogram, percentile),
                "ms",
                name=f"{name}_p{percentile}_ms_at_{rate}",
            )
    _costs(report, step, f"at_{rate}")
    if step.missing or step.refused:
        report.add(f"lost or late at {rate}/s", step.missing + step.refused, "signals", name=f"missing_at_{rate}")


def _writes(stack: Stack, report: Report) -> None:
    """Create cases at a fixed rate: each is answered when the next read sees it."""
    report.say(f"{WRITES} cases created a second for {STEP_SECONDS} s")
    came = _load(_cases(stack.port, stack.facts["tenants"][1]), WRITES * STEP_SECONDS, WRITES, WRITERS)
    if came["refused"]:
        raise RuntimeError(f"{came['refused']} of {WRITES * STEP_SECONDS} cases were not created")
    answered = HdrHistogram(1, 120_000_000, 3)
    for due, at in zip(came["due"], came["accepted"], strict=True):
        answered.record_value(max(1, int((at - due) * 1e6)))
    for percentile in (50, 99):
        what = f"write to read-your-write answer, at {WRITES}/s: p{percentile}"
        report.add(what, _ms(answered, percentile), "ms", name=f"write_p{percentile}_ms_at_{WRITES}")


def _costs(report: Report, step: Step, name: str) -> None:
    total = sum(step.cpu_ms.values())
    each = ", ".join(f"{process} {ms:.2f}" for process, ms in sorted(step.cpu_ms.items(), key=lambda item: -item[1]))
    report.add(f"CPU a signal, {step.name}: {each}", total, "ms", name=f"cpu_ms_{name}")
    for process, ms in step.cpu_ms.items():
        report.note(f"cpu_ms_{name}_{process}", ms)


def _offer(stack: Stack, name: str, count: int, rate: float) -> Step:
    tenant = stack.facts["tenants"][0]
    with Search(stack.facts["elasticsearch"], tenant["tenant_id"], name, count) as search:
        before = stack.cpu()
        came = _load(_signals(stack.port, tenant["routing_key"], name), count, rate)
        search.wait()
        spent = {process: seconds - before.get(process, 0.0) for process, seconds in stack.cpu().items()}
    spent["load"] = came["cpu"]
    due, answered = came["due"], came["accepted"]
    accepted, found = HdrHistogram(1, 120_000_000, 3), HdrHistogram(1, 120_000_000, 3)
    for n, at in enumerate(due):
        accepted.record_value(max(1, int((answered[n] - at) * 1e6)))
        if n in search.found:
            found.record_value(max(1, int((search.found[n] - at) * 1e6)))
    last = max(search.found.values(), default=due[0] + GIVE_UP_SECONDS)
    return Step(
        name=f"at {rate:g}/s" if rate else name,
        count=count,
        missing=count - len(search.found),
        refused=came["refused"],
        accepted=accepted,
        found=found,
        found_per_s=len(search.found) / (last - min(due)),
        accepted_per_s=count / (max(answered) - min(due)),
        cpu_ms={process: seconds / count * 1000 for process, seconds in spent.items()},
    )


def _signals(port: int, routing_key: str, name: str) -> dict[str, Any]:
    """What enqueues signals of distinct keys."""
    payload = {"summary": f"{name} {{n}}", "source": "lb", "severity": "critical", "component": "checkout"}
    event = {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": f"{name}-{{n}}",
        "payload": {**payload, "custom_details": {"latency_ms": 734}},
    }
    return {"port": port, "path": "/v2/enqueue", "headers": {}, "status": 202, "body": json.dumps(event)}


def _cases(port: int, tenant: Mapping[str, str]) -> dict[str, Any]:
    """What creates cases, answered when each can be read."""
    case = {
        "type": "case",
        "attributes": {"title": "Checkout is slow {n}", "type_id": "00000000-0000-0000-0000-000000000001"},
        "relationships": {"project": {"data": {"type": "project", "id": tenant["project_id"]}}},
    }
    keys = {"DD-API-KEY": tenant["api_key"], "DD-APPLICATION-KEY": tenant["application_key"]}
    return {"port": port, "path": "/api/v2/cases", "headers": keys, "status": 201, "body": json.dumps({"data": case})}


def _load(what: Mapping[str, Any], count: int, rate: float, connections: int = CONNECTIONS) -> Any:
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write(json.dumps({**what, "count": count, "rate": rate, "connections": connections}))
        file.flush()
        subprocess.run([sys.executable, "-m", "tests.bench.http_load", file.name], cwd=ROOT, check=True)
        return json.loads(Path(file.name).read_text())


def _ms(histogram: HdrHistogram, percentile: int) -> float:
    return float(histogram.get_value_at_percentile(percentile)) / 1000


def _floor(stack: Stack, report: Report) -> tuple[float, float]:
    """Return requests a second of the bare server over as many connections, and its CPU milliseconds a request."""
    report.say("floor: a bare Starlette that appends what it gets")
    kafka = stack.facts["kafka"]
    admin = AdminClient({"bootstrap.servers": kafka})
    for made in admin.create_topics([NewTopic(FLOOR_TOPIC, num_partitions=4)]).values():
        made.result(30)
    port = any_free(set())
    command = [sys.executable, "-m", "tests.bench.pipe_floor", str(port), kafka, FLOOR_TOPIC]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        asked = _signals(port, "none", "floor")
        _load(asked, FLOOR // 8, 0)
        before = _cpu(server.pid)
        came = _load(asked, FLOOR, 0)
        assert not came["refused"]
        spent = _cpu(server.pid) - before
    finally:
        server.terminate()
        server.wait()
    return FLOOR / (max(came["accepted"]) - min(came["due"])), spent / FLOOR * 1000


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
