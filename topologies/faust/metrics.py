"""What a fold worker measures, in the default registry. Names end in their unit."""

from __future__ import annotations

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
LAG = Gauge("fold_lag_records", "Records of a partition not yet folded.", ["stage", "partition"])
LOOP_LAG_SECONDS = Gauge("fold_loop_lag_seconds", "How late the fold's event loop runs.", ["stage"])
RECOVERY_REMAINING = Gauge("fold_recovery_remaining_records", "Changelog records still to apply.", ["stage"])
PARTITIONS = Gauge("fold_assigned_partitions", "Partitions assigned to this worker.", ["stage"])
READY = Gauge("fold_ready", "1 when assigned, recovered and positioned.", ["stage"])


def count(stage: str, step: Step) -> None:
    """Count what a finished batch came to."""
    BATCHES.labels(stage).inc()
    for result, number in (("folded", step.folded), ("skipped", step.skipped), ("dead", step.dead)):
        if number:
            RECORDS.labels(stage, result).inc(number)
    SENT.labels(stage).inc(len(step.broadcasts) + len(step.sends))
    ROWS.labels(stage).inc(sum(len(group) for group in step.rows))
