"""What sources measure, in the default registry. Names end in their unit."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SIGNALS: Final = Counter("source_signals", "Signals appended to alert.commands and acked.", ["source", "action"])
REFUSED: Final = Counter("source_refused", "Requests and records that are no valid signal.", ["source", "reason"])
DEAD_LETTERS: Final = Counter("source_dead_letters", "Records of a topic that could not be taken.", ["source"])
RETRIES: Final = Counter("source_retries", "Times that Kafka or Postgres was away and was asked again.", ["source"])
BATCH_SECONDS: Final = Histogram(
    "source_batch_seconds",
    "Time from a batch that was read to its acks.",
    ["source"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
LAG: Final = Gauge("source_lag_records", "Records of a partition that are not taken.", ["source", "partition"])
TICKS: Final = Counter("clock_ticks", "Seconds that every partition was told, or not all of them.", ["result"])
TICK_LATENESS_SECONDS: Final = Histogram(
    "clock_tick_lateness_seconds",
    "From a whole second to the last partition's ack of its tick.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
