"""How much memory a family of processes holds."""

from __future__ import annotations

from collections.abc import Mapping

import psutil


def megabytes(pids: Mapping[str, int]) -> dict[str, int]:
    """Return the resident memory of each process and its children, in MB of 10^6 bytes.

    What several processes share is divided among them where the system says so (Linux), so that sums are true.
    """
    return {name: round(_family(pid) / 1e6) for name, pid in pids.items()}


def _family(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(_resident(member) for member in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0


def own() -> int:
    """Return the resident memory of this process alone, in MB."""
    return round(_resident(psutil.Process()) / 1e6)


def _resident(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
