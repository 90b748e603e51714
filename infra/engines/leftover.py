"""Ends what an earlier process left running on a data folder, where the system did not do it (or not yet)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

PATIENCE_SECONDS: Final = 15.0


def record(path: Path, pids: Mapping[str, int]) -> None:
    """Remember which processes run. A pid alone may be somebody else's later, so its start goes with it."""
    rows: dict[str, tuple[int, float]] = {}
    for name, pid in pids.items():
        try:
            rows[name] = (pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            continue
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(rows))
    draft.replace(path)


def end(path: Path) -> list[str]:
    """Wait for the remembered processes to end, ask them to, then make them. Returns the names of those that ran."""
    try:
        rows = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    alive: dict[psutil.Process, str] = {}
    for name, (pid, created) in rows.items():
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 0.01:
                alive[process] = name
        except psutil.NoSuchProcess:
            continue
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(list(alive), timeout=PATIENCE_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=PATIENCE_SECONDS)
    path.unlink(missing_ok=True)
    return list(alive.values())
