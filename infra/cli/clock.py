"""Role `source.clock`: tells the stages that ask for it what time it is."""

from __future__ import annotations

import threading

from infra.runtime.health import Health
from infra.runtime.logging import logger
from infra.runtime.settings import Settings
from infra.runtime.stopping import told
from sources.clock import Clock
from topologies.graph import TOPOLOGY

ROLE = "source.clock"


def run(settings: Settings) -> None:
    """Tick until SIGTERM or SIGINT."""
    stop = threading.Event()
    clock = Clock(settings.kafka, TOPOLOGY.ticking(), partitions=settings.partitions)
    health = Health(ROLE)
    health.register("ticks", clock.ping)
    with told(stop), health.serving(settings.health_port, settings.health_host):
        clock.run(stop)
    logger(ROLE).info("stopped")
