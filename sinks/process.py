"""A sink as a process: its loops, each on a thread of its own, and whether they are well."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from infra.runtime.garbage import collect_seldom
from infra.runtime.health import Health, Ping
from infra.runtime.settings import Settings
from infra.runtime.stopping import told
from sinks.loop import Loop

END_SECONDS: Final = 20.0
"""How long a loop may take to finish its batch once told to stop."""
_log = structlog.get_logger()


def serve(
    role: str, settings: Settings, loops: Sequence[Loop[Any]], *, checks: Mapping[str, Ping] | None = None
) -> None:
    """Run the loops until SIGTERM or SIGINT. A loop that ends by itself ends them all, and its error is raised.

    checks: what must be well besides the loops.
    """
    stop = threading.Event()
    errors: list[BaseException] = []

    def feed(loop: Loop[Any]) -> None:
        try:
            loop.run(stop)
        except BaseException as error:  # noqa: BLE001 - raised again on the main thread
            errors.append(error)
        finally:
            stop.set()

    health = Health(role)
    for name, check in (checks or {}).items():
        health.register(name, check)
    threads = []
    for loop in loops:
        health.register(loop.group, loop.ping)
        threads.append(threading.Thread(target=feed, args=(loop,), name=loop.group, daemon=True))
    collect_seldom()
    with told(stop), health.serving(settings.health_port, settings.health_host):
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(END_SECONDS)
    if errors:
        raise errors[0]
    stuck = [thread.name for thread in threads if thread.is_alive()]
    if stuck:
        raise TimeoutError(f"{', '.join(stuck)} did not end in {END_SECONDS:.0f} s")
    _log.info("stopped", role=role)
