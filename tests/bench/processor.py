"""What a process took of the processor: seconds that do not drift with what else the machine does, as times do."""

from __future__ import annotations

from typing import Any

import psutil


def cpu_seconds(pid: int | None) -> float:
    """Return the CPU seconds that a process has taken by now, in all its threads. psutil.NoSuchProcess where it is gone."""
    times: Any = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
