"""Role `worker.STAGE`: one stage of the topology on Faust."""

from __future__ import annotations

import gc
import os
from pathlib import Path

from prometheus_client import Counter

from infra.runtime.health import Health
from infra.runtime.logging import logger
from infra.runtime.settings import Settings
from topologies.faust.bind import run as run_stage
from topologies.faust.status import Status
from topologies.graph import TOPOLOGY, Stage
from topologies.guard import newer
from topologies.runner import StageFold

DEAD_LETTERS = Counter("casestream_stage_dead_letters", "Records that a stage could not decode or fold", ["stage"])


def run(settings: Settings, name: str) -> None:
    """Run stage `name` until SIGTERM. Anything that may not go on ends the process."""
    serve(settings, TOPOLOGY.stage(name))


def serve(settings: Settings, stage: Stage) -> None:
    """Run a stage as `run` does."""
    name = stage.name
    log = logger("worker", stage=name)

    def on_dead(stage_name: str, cause: str) -> None:
        DEAD_LETTERS.labels(stage_name).inc()
        log.error("dead letter", cause=cause, topic=stage.dead_letters)

    status = Status(name, lambda: log.info("ready"))
    health = Health(f"worker.{name}")
    health.register("stage", lambda: None if status.ready else status.cause)
    # Rows and the records of a batch hold no cycles, and there are many of them: at its default the collector walks them
    # hundreds of times a second for nothing, which takes a tenth of a fold's time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with health.serving(settings.health_port):
        run_stage(
            StageFold(stage, partitions=settings.partitions, on_dead=on_dead),
            group=stage.group,
            topic=stage.reads,
            table=stage.table,
            bootstrap=settings.kafka,
            partitions=settings.partitions,
            data_dir=Path(settings.data_dir) / "faust" / name,
            instance_id=os.environ.get("CASESTREAM_INSTANCE_ID"),
            status=status,
            newer=newer,
            max_held_bytes=settings.fold_held_mb * 1024 * 1024,
        )
