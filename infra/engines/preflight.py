"""Looks before the start whether disk and memory will do, so that the answer is a sentence and not a dead server."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import psutil

from infra.runtime.errors import NoMemory, NoSpace

DISK_BYTES: Final = 1_000_000_000
MEMORY_BYTES: Final = 1_600_000_000
_LIMITS: Final = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def check(data_dir: Path) -> None:
    """Raise NoSpace or NoMemory where the engines would not live long."""
    free = shutil.disk_usage(data_dir).free
    if free < DISK_BYTES:
        raise NoSpace(
            f"{data_dir} has {free / 1e6:.0f} MB free; the engines need {DISK_BYTES / 1e6:.0f} MB to begin with. "
            "Free some space, or choose a --data-dir on another disk"
        )
    memory = available_memory()
    if memory < MEMORY_BYTES:
        raise NoMemory(
            f"{memory / 1e6:.0f} MB of memory are free; the engines need {MEMORY_BYTES / 1e6:.0f} MB, all roles "
            "together under 3 GB. Stop other programs, or raise this container's limit"
        )


def available_memory() -> int:
    """Return how many bytes this process' machine, or its container, can still give."""
    available = int(psutil.virtual_memory().available)
    for limit, used in _LIMITS:
        try:
            available = min(available, int(limit.read_text()) - int(used.read_text()))
        except (OSError, ValueError):
            # No such limit ("max" is no number), or no such kind of container.
            continue
    return available
