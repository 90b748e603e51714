"""Runs Faust apps on this process' event loop until it is told to stop, or one of them breaks."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from topologies.faust import ending
from topologies.faust.status import Status

log = logging.getLogger(__name__)


class Served(Protocol):
    """An app that is built, and where it says whether it is ready."""

    @property
    def app(self) -> Any: ...

    @property
    def status(self) -> Status: ...


async def serve(build: Callable[[], Sequence[Served]], stop_timeout_s: float) -> None:
    """Build, start and keep the apps. SIGTERM and SIGINT stop all of them; the process then ends with 0.

    An app that does not start, or crashes, ends the process and with it the others: `ending.EXIT_BROKEN`.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        if not stop.is_set():
            ending.watch_stop(stop_timeout_s)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    workers = build()
    stopping = loop.create_task(stop.wait())
    await asyncio.gather(*(_keep(worker, stopping) for worker in workers))
    await asyncio.gather(*(worker.app.stop() for worker in workers))
    log.info("stopped")
    # Faust's consumer thread may outlive its service; nothing of ours runs any more, and all is committed.
    ending.leave(0)


async def _keep(worker: Served, stopping: asyncio.Task[Any]) -> None:
    """Start an app and return when it is to be stopped. Ends the process where it breaks before that."""
    app, loop = worker.app, asyncio.get_running_loop()
    # Faust sets this where its own Worker starts an app.
    app.in_worker = True
    starting = loop.create_task(app.start())
    crashed = loop.create_task(app._crashed.wait())  # noqa: SLF001
    await asyncio.wait({starting, stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        if (failed := starting.exception()) is not None:
            ending.end(f"Faust did not start: {failed!r}")
        await asyncio.wait({stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
    if crashed.done() and not stopping.done():
        ending.end(f"Faust crashed: {app.crash_reason!r}")
    worker.status.not_ready("stopping")
