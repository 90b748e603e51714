"""What a fold worker measures, in the default registry. Names end in their unit."""

from __future__ import annotations

import time

from prometheus_client import Counter, Gauge, Histogram

from topologies.step import Step

BATCHES = Counter("fold_batches", "Batches folded and committable.", ["stage"])
RECORDS = Counter("fold_records", "Records by what became of them.", ["stage", "result"])
SENT = Counter("fold_sent_records", "Derived records acked, broadcasts included.", ["stage"])
ROWS = Counter("fold_rows", "Rows written to the changelog.", ["stage"])
FOLD_SECONDS = Histogram(
    "fold_seconds", "Time in the pure fold, a batch.", ["stage"], buckets=(0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5)
)
ACK_SECONDS = Histogram(
    "fold_ack_seconds",
    "From the fold of a batch to its last ack.",
    ["stage"],
    buckets=(0.002, 0.005, 0.01, 0.05, 0.2, 1, 5, 30),
)
TIMERS = Counter("fold_timers_fired", "Timers that fired.", ["stage"])
TIMER_LATENESS_SECONDS = Histogram(
    "fold_timer_lateness_seconds",
    "From when a timer was to be until all that it led to was acked.",
    ["stage"],
    buckets=(0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 5, 15, 60, 600),
)
LAG = Gauge("fold_lag_records", "Records of a partition not yet folded.", ["stage", "partition"])
LOOP_LAG_SECONDS = Gauge("fold_loop_lag_seconds", "How late the fold's event loop runs.", ["stage"])
RECOVERY_REMAINING = Gauge("fold_recovery_remaining_records", "Changelog records still to apply.", ["stage"])
PARTITIONS = Gauge("fold_assigned_partitions", "Partitions assigned to this worker.", ["stage"])
READY = Gauge("fold_ready", "1 when assigned, recovered and positioned.", ["stage"])


class Observed:
    """What a stage counts of each finished batch, its labels looked up once."""

    def __init__(self, stage: str) -> None:
        self._batches = BATCHES.labels(stage)
        self._folded, self._skipped, self._dead = (
            RECORDS.labels(stage, result) for result in ("folded", "skipped", "dead")
        )
        self._sent = SENT.labels(stage)
        self._rows = ROWS.labels(stage)
        self._fold_seconds = FOLD_SECONDS.labels(stage)
        self._ack_seconds = ACK_SECONDS.labels(stage)
        self._timers = TIMERS.labels(stage)
        self._timer_lateness = TIMER_LATENESS_SECONDS.labels(stage)

    def step(self, step: Step, fold_s: float, ack_s: float) -> None:
        """Count what a finished batch came to, the seconds of its fold and those until its last ack."""
        self._batches.inc()
        for counter, number in ((self._folded, step.folded), (self._skipped, step.skipped), (self._dead, step.dead)):
            if number:
                counter.inc(number)
        if sent := len(step.broadcasts) + len(step.sends):
            self._sent.inc(sent)
        if step.rows:
            self._rows.inc(sum(map(len, step.rows)))
        if step.fired:
            self._timers.inc(len(step.fired))
            now = time.time()
            for due in step.fired:
                self._timer_lateness.observe(max(now - due / 1_000, 0.0))
        self._fold_seconds.observe(fold_s)
        self._ack_seconds.observe(ack_s)
