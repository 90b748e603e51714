"""What a sink measures, in the default registry. Names end in their unit."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RECORDS: Final = Counter("sink_records", "Records applied, dead letters included.", ["group"])
BATCHES: Final = Counter("sink_batches", "Batches applied.", ["group"])
ROWS: Final = Counter("sink_rows", "Rows or documents written.", ["group", "table"])
DEAD_LETTERS: Final = Counter("sink_dead_letters", "Records that could not be applied for good.", ["group"])
RETRIES: Final = Counter("sink_retries", "Times that the store was away and was asked again.", ["group"])
FENCED: Final = Counter("sink_fenced", "Times that the stored position had been moved by somebody else.", ["group"])
APPLY_SECONDS: Final = Histogram(
    "sink_apply_seconds",
    "Time to apply a batch, durably.",
    ["group"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
LAG: Final = Gauge("sink_lag_records", "Records of a partition that are not applied.", ["group", "partition"])
HELD: Final = Gauge("sink_held_partitions", "Partitions that wait for an upgrade of this reader.", ["group"])
