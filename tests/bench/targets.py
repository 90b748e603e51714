"""What each figure must be and what it aims at: a part that ends without one of its figures here has failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """must and aim are in the figure's unit. less: whether less is better. at: the size at which it holds, None for any."""

    must: float
    aim: float
    less: bool = False
    at: int | None = None

    def verdict(self, value: float) -> str:
        """Return "aim" or "must", whichever is reached, else "missed"."""
        sign = -1 if self.less else 1
        if sign * value >= sign * self.aim:
            return "aim"
        return "must" if sign * value >= sign * self.must else "missed"


TARGETS: Final[Mapping[tuple[str, str], Target]] = {
    ("fold", "overhead_ratio"): Target(must=0.7, aim=0.9),
    ("fold", "case_fold_per_s"): Target(must=12_000, aim=20_000),
    ("fold", "signal_to_case_one_process_per_s"): Target(must=4_000, aim=8_000),
    ("fold", "latency_p50_ms"): Target(must=5, aim=5, less=True),
    ("fold", "latency_p99_ms"): Target(must=25, aim=25, less=True),
    ("sinks", "postgres_rows_per_s"): Target(must=10_000, aim=30_000),
    ("sinks", "elasticsearch_documents_per_s"): Target(must=3_000, aim=8_000),
    ("size", "ready_s"): Target(must=30, aim=10, less=True, at=1_000_000),
    ("size", "resident_gb"): Target(must=3, aim=2, less=True, at=1_000_000),
    ("rebuild", "both_s"): Target(must=300, aim=120, less=True, at=1_000_000),
    ("moves", "join_s"): Target(must=5, aim=2, less=True),
    ("moves", "restart_s"): Target(must=5, aim=2, less=True),
    ("moves", "leave_s"): Target(must=5, aim=2, less=True),
    ("moves", "kill_s"): Target(must=20, aim=16, less=True),
    ("fat", "hot_growth"): Target(must=1.3, aim=1.1, less=True),
    ("latency", "write_p99_ms"): Target(must=250, aim=100, less=True),
    ("latency", "signal_p99_ms"): Target(must=50, aim=25, less=True),
    ("latency", "searchable_p99_ms"): Target(must=1_500, aim=1_200, less=True),
    ("pipe", "searchable_per_s"): Target(must=1_000, aim=2_000),
    ("pipe", "accepted_p99_ms_at_200"): Target(must=50, aim=25, less=True),
    ("pipe", "write_p99_ms_at_200"): Target(must=250, aim=100, less=True),
    ("pipe", "searchable_p99_ms_at_200"): Target(must=1_500, aim=1_200, less=True),
    ("latency", "list_p99_ms"): Target(must=100, aim=30, less=True),
    ("latency", "search_p99_ms"): Target(must=100, aim=30, less=True),
    ("latency", "facets_p99_ms"): Target(must=100, aim=30, less=True),
    ("timers", "lateness_p99_s"): Target(must=1.5, aim=1.2, less=True, at=1_000_000),
}
"""By part and name."""
