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
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx
import psutil
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from hdrh.histogram import HdrHistogram

from infra.engines.ports import any_free
from tests.bench.bench import Bench
from tests.bench.report import Report
from tests.bench.stack import Stack, running
from tests.wheel import ROOT

CONNECTIONS: Final = 16
RATES: Final = (50, 100, 200, 500, 1_000, 1_500, 2_000)
TRICKLE: Final = 200
"""Up to this rate a step that is not held is a figure, and no reason to stop."""
STEP_SECONDS: Final = 5
WARM_UP: Final = ((300, 8), (600, 8))
SATURATED: Final = 10_000
FLOOR: Final = 8_000
BOUND_SECONDS: Final = 1.5
GIVE_UP_SECONDS: Final = 25.0
LOOK_SECONDS: Final = 0.15
OVERLAP_SECONDS: Final = 0.6
QUIET_SECONDS: Final = 3.0
LIMIT: Final = 10_000
"""Hits that a search gives at most; no step has more signals."""
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


def _costs(report: Report, step: Step, name: str) -> None:
    total = sum(step.cpu_ms.values())
    each = ", ".join(f"{process} {ms:.2f}" for process, ms in sorted(step.cpu_ms.items(), key=lambda item: -item[1]))
    report.add(f"CPU a signal, {step.name}: {each}", total, "ms", name=f"cpu_ms_{name}")
    for process, ms in step.cpu_ms.items():
        report.note(f"cpu_ms_{name}_{process}", ms)


def _offer(stack: Stack, name: str, count: int, rate: float) -> Step:
    tenant = stack.facts["tenants"][0]
    with _Search(stack.facts["elasticsearch"], tenant["tenant_id"], name, count) as search:
        before = stack.cpu()
        came = _load(stack.port, tenant["routing_key"], name, count, rate)
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


def _load(port: int, routing_key: str, name: str, count: int, rate: float) -> Any:
    with tempfile.NamedTemporaryFile() as file:
        arguments = (file.name, port, routing_key, name, count, rate, CONNECTIONS)
        subprocess.run([sys.executable, "-m", "tests.bench.http_load", *map(str, arguments)], cwd=ROOT, check=True)
        return json.loads(file.read())


def _ms(histogram: HdrHistogram, percentile: int) -> float:
    return float(histogram.get_value_at_percentile(percentile)) / 1000


class _Search:
    """Looks several times a second which of the signals' cases the index finds, and notes when it first did."""

    def __init__(self, elasticsearch: str, tenant_id: str, name: str, count: int) -> None:
        self.found: dict[int, float] = {}
        self._client = httpx.Client(base_url=elasticsearch, trust_env=False, timeout=30)
        self._tenant_id = tenant_id
        self._name = name
        self._count = count
        self._first = max(
            (int(hit["_seq_no"]) for hit in self._ask([], size=1, sort=[{"_seq_no": "desc"}])), default=-1
        )
        self._seen: deque[tuple[float, int]] = deque([(0.0, self._first)])
        self._grew_at = time.monotonic()
        self._failed: BaseException | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()
        self._client.close()

    def wait(self) -> None:
        """Return when all are found, or none has been for a while."""
        had, since = -1, time.monotonic()
        while len(self.found) < self._count and time.monotonic() - since < GIVE_UP_SECONDS:
            if self._failed is not None:
                raise self._failed
            if len(self.found) != had:
                had, since = len(self.found), time.monotonic()
            time.sleep(0.05)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                began = time.monotonic()
                self._look()
                self._closed.wait(max(0.0, began + LOOK_SECONDS - time.monotonic()))
        except BaseException as failed:  # noqa: BLE001 - raised again where it is waited for
            self._failed = failed

    def _look(self) -> None:
        """Ask for what the index took since a little before the last look: what it takes at once is not found in order."""
        now = time.monotonic()
        while len(self._seen) > 1 and self._seen[1][0] < now - OVERLAP_SECONDS:
            self._seen.popleft()
        # What a look has missed all the same is found late, rather than not at all.
        quiet = now - self._grew_at > QUIET_SECONDS
        above = self._first if quiet else self._seen[0][1]
        hits = self._ask([{"range": {"_seq_no": {"gt": above}}}], size=LIMIT, sort=["_doc"])
        now = time.monotonic()
        self._seen.append((now, max((int(hit["_seq_no"]) for hit in hits), default=self._seen[-1][1])))
        for hit in hits:
            name, _, n = hit["fields"]["title.sort"][0].partition(" ")
            if name == self._name and int(n) not in self.found:
                self.found[int(n)] = self._grew_at = now
        if quiet:
            self._closed.wait(1.0)

    def _ask(self, filters: list[dict[str, Any]], *, size: int, sort: list[Any]) -> list[Any]:
        asked = {
            "size": size,
            "sort": sort,
            "query": {"bool": {"filter": [{"term": {"tenant_id": self._tenant_id}}, *filters]}},
            "_source": False,
            "docvalue_fields": ["title.sort"],
            "seq_no_primary_term": True,
            "track_total_hits": False,
        }
        answer = self._client.post("/case/_search", json=asked)
        answer.raise_for_status()
        hits: list[Any] = answer.json()["hits"]["hits"]
        return hits


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
        _load(port, "none", "warm", FLOOR // 8, 0)
        before = _cpu(server.pid)
        came = _load(port, "none", "floor", FLOOR, 0)
        assert not came["refused"]
        spent = _cpu(server.pid) - before
    finally:
        server.terminate()
        server.wait()
    return FLOOR / (max(came["accepted"]) - min(came["due"])), spent / FLOOR * 1000


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
