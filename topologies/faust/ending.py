"""How a worker ends when going on would be wrong: said aloud, at once, with nothing more committed.

The fold is crash-only: `kill -9` at any moment is safe by construction, so an ending needs no clean-up, and every
clean-up (Faust commits while it stops) would be one more path to prove.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import NoReturn

log = logging.getLogger(__name__)

# sysexits.h EX_SOFTWARE: told apart from a refused configuration (78) and from signals.
EXIT_BROKEN = 70
EXIT_CONFIG = 78


class RefusedError(Exception):
    """The worker cannot start as configured: a topic is missing or has the wrong shape, or a setting is not allowed."""


def end(cause: str) -> NoReturn:
    """Log `cause` and end the process with `EXIT_BROKEN`, without running any handler. Callable from any thread."""
    log.critical("the worker ends: %s", cause)
    leave(EXIT_BROKEN)


def leave(code: int) -> NoReturn:
    """End the process with `code`, after the logs are flushed, whatever threads and tasks are alive."""
    logging.shutdown()
    os._exit(code)


def watch_stop(seconds: float) -> threading.Thread:
    """Start the watchdog of a graceful stop: the process ends in `seconds` even if the stop hangs (H12)."""

    def wait() -> None:
        time.sleep(seconds)
        log.critical("the graceful stop took over %.0f s", seconds)
        leave(EXIT_BROKEN)

    thread = threading.Thread(target=wait, name="stop-watchdog", daemon=True)
    thread.start()
    return thread
