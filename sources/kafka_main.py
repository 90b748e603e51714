"""Role `source.kafka` as a process."""

from __future__ import annotations

import threading

from infra.runtime.health import Health
from infra.runtime.logging import logger
from infra.runtime.settings import Settings
from infra.runtime.stopping import told
from sources.kafka_loop import SignalLoop
from sources.routing import RoutingKeys

ROLE = "source.kafka"


def run(settings: Settings) -> None:
    """Take signals until SIGTERM or SIGINT. What may not go on ends the process with its error."""
    stop = threading.Event()
    loop = SignalLoop(settings.kafka, RoutingKeys(settings.postgres.reveal()))
    health = Health(ROLE)
    health.register("signals", loop.ping)
    with told(stop), health.serving(settings.health_port, settings.health_host):
        loop.run(stop)
    logger(ROLE).info("stopped")
