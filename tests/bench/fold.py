"""Signals folded into cases: each stage alone beside the floor, then all three together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from infra.runtime.kafka import create_topics
from streams.topics import ALERT_EVENTS, CASE_COMMANDS, CASE_EVENTS, CASE_INTAKE
from tests.bench import trickle, trivial
from tests.bench.bench import Bench
from tests.bench.field import PARTITIONS, Field, Pace, pace
from tests.bench.floor import TOPIC
from tests.bench.processor import cpu_seconds
from tests.bench.report import Report
from tests.bench.signals import fill
from tests.wheel import ROOT
from topologies.graph import TOPOLOGY

STAGES = (("worker.alerts", CASE_INTAKE), ("worker.intake", CASE_COMMANDS), ("worker.cases", CASE_EVENTS))


TRIVIAL = 300_000
"""Records of the trivial fold: a few seconds of it."""


def run(bench: Bench) -> None:
    """Measure the runtime by a trivial fold, then the real stages."""
    trivial.run(bench.field.kafka, bench.field.folder, bench.report, TRIVIAL)
    trickle.run(bench.field.kafka, bench.field.folder, bench.report)
    _stages(bench.field, bench.report, bench.signals)


def _stages(field: Field, report: Report, count: int) -> None:
    """Measure with `count` signals, three times: stage by stage, a process for each stage, and one process for all."""
    report.say(f"filling alert.commands with {count:,} signals")
    fill(field, count, name="alone", tell=report.progress(count))
    floor = max(_floors(field, report, count))
    report.add(
        "CPython floor: consume, decode, dict fold, encode, produce", floor, "records/s", name="codec_floor_per_s"
    )
    for name, topic in STAGES:
        report.say(f"{name} alone")
        short = "case" if name == "worker.cases" else name.removeprefix("worker.")
        _told(report, f"{name} alone", _paced(field, [name], topic, count), floor, name=f"{short}_fold")
    report.say("the three stages together, a process each")
    fill(field, count, name="together", tell=report.progress(count))
    paced = _paced(field, [name for name, _ in STAGES], CASE_EVENTS, count)
    _told(report, "signals from Kafka into cases, a process for each stage", paced, floor, name="signal_to_case")
    report.say("all stages in one process")
    with field.role("worker.automation"):
        # It reads what came so far beside the measurement else, as it was not running until now.
        field.await_read(TOPOLOGY.stage("automation"))
    fill(field, count, name="one", tell=report.progress(count))
    paced = _paced(field, ["worker"], CASE_EVENTS, count)
    _told(report, "signals from Kafka into cases, one worker process", paced, floor, name="signal_to_case_one_process")
    report.say(f"{field.ends(ALERT_EVENTS):,} alert events, {field.ends(CASE_EVENTS):,} case events")


def _paced(field: Field, names: Sequence[str], topic: str, count: int) -> tuple[Pace, float]:
    """Run these roles until `count` more records are in a topic. Returns how fast, and their CPU seconds a record."""
    before = field.ends(topic)
    with ExitStack() as held:
        roles = [held.enter_context(field.role(name)) for name in names]
        started = 0.0

        def appended() -> int:
            nonlocal started
            found = field.ends(topic)
            if found == before:
                # What it takes to start is not the fold's.
                started = sum(cpu_seconds(role.pid) for role in roles if role.pid is not None)
            return found

        measured = pace(appended, before + count, role=roles[-1])
        return measured, (sum(cpu_seconds(role.pid) for role in roles) - started) / count


def _told(report: Report, what: str, paced: tuple[Pace, float], floor: float, *, name: str) -> None:
    measured, cpu = paced
    report.add(
        what,
        measured.rate,
        "signals/s",
        beside=("of the floor", measured.rate / floor),
        name=f"{name}_per_s",
    )
    report.add(f"{what}: CPU of a signal", cpu * 1e6, "us", name=f"{name}_cpu_us")


def _floors(field: Field, report: Report, count: int) -> Iterator[float]:
    """Run the floor a few times: it is a race with whatever else the machine does."""
    create_topics(field.kafka, {TOPIC: {"retention.ms": "600000"}}, partitions=PARTITIONS)
    for n in range(2):
        report.say(f"floor, run {n + 1} of 2")
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.floor", field.kafka, str(count)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        yield float(done.stdout)
