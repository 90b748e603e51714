"""Signals folded into cases: each stage alone beside the floor, then all three together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from infra.runtime.kafka import create_topics
from streams.topics import ALERT_EVENTS, CASE_COMMANDS, CASE_EVENTS, CASE_INTAKE
from tests.bench import trickle, trivial
from tests.bench.bench import Bench
from tests.bench.field import PARTITIONS, Field, pace
from tests.bench.floor import TOPIC
from tests.bench.report import Report
from tests.bench.signals import fill
from tests.wheel import ROOT

STAGES = (("worker.alerts", CASE_INTAKE), ("worker.intake", CASE_COMMANDS), ("worker.cases", CASE_EVENTS))


TRIVIAL = 300_000
"""Records of the trivial fold: a few seconds of it."""


def run(bench: Bench) -> None:
    """Measure the runtime by a trivial fold, then the real stages."""
    trivial.run(bench.field.kafka, bench.field.folder, bench.report, TRIVIAL)
    trickle.run(bench.field.kafka, bench.field.folder, bench.report)
    _stages(bench.field, bench.report, bench.signals)


def _stages(field: Field, report: Report, count: int) -> None:
    """Measure with `count` signals, twice: stage by stage, and as a pipeline."""
    report.say(f"filling alert.commands with {count:,} signals")
    fill(field, count, name="alone", tell=report.progress(count))
    floor = max(_floors(field, report, count))
    report.add(
        "CPython floor: consume, decode, dict fold, encode, produce", floor, "records/s", name="codec_floor_per_s"
    )
    for name, topic in STAGES:
        report.say(f"{name} alone")
        until = field.ends(topic) + count
        with field.role(name) as role:
            measured = pace(lambda topic=topic: field.ends(topic), until, role=role)  # type: ignore[misc]
        report.add(
            f"{name} alone",
            measured.rate,
            "signals/s",
            beside=("of the floor", measured.rate / floor),
            name="case_fold_per_s" if name == "worker.cases" else f"{name.removeprefix('worker.')}_fold_per_s",
        )
    report.say("all three stages together")
    fill(field, count, name="together", tell=report.progress(count))
    until = field.ends(CASE_EVENTS) + count
    with ExitStack() as held:
        roles = [held.enter_context(field.role(name)) for name, _ in STAGES]
        measured = pace(lambda: field.ends(CASE_EVENTS), until, role=roles[-1])
    report.add(
        "signals folded from Kafka into cases, three stages on this machine",
        measured.rate,
        "signals/s",
        beside=("of the floor", measured.rate / floor),
        name="signal_to_case_per_s",
    )
    report.say(f"{field.ends(ALERT_EVENTS):,} alert events, {field.ends(CASE_EVENTS):,} case events")


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
