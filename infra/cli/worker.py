"""Roles `worker` and `worker.STAGE`: stages of the topology on Faust, all of them in one process or one alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prometheus_client import Counter

from infra.runtime.garbage import collect_seldom
from infra.runtime.health import Health
from infra.runtime.logging import logger
from infra.runtime.settings import Settings
from topologies.faust.bind import Binding, run_together
from topologies.faust.status import Status
from topologies.graph import TOPOLOGY, Stage
from topologies.guard import newer
from topologies.runner import StageFold

DEAD_LETTERS = Counter("casestream_stage_dead_letters", "Records that a stage could not decode or fold", ["stage"])


def run(settings: Settings, role: str) -> None:
    """Run what a role names until SIGTERM: `worker.STAGE` that stage, `worker` all of the topology's."""
    _, _, name = role.partition(".")
    serve(settings, role, [TOPOLOGY.stage(name)] if name else TOPOLOGY.stages)


def serve(settings: Settings, role: str, stages: Sequence[Stage]) -> None:
    """Run stages in this process until SIGTERM, whatever topology they are of.

    Anything that may not go on ends the process, with all of them.
    """
    health = Health(role)
    bindings = [_bind(settings, stage, health) for stage in stages]
    collect_seldom()
    with health.serving(settings.health_port):
        run_together(
            bindings,
            bootstrap=settings.kafka,
            partitions=settings.partitions,
            instance_id=settings.instance_id or None,
            newer=newer,
            max_held_bytes=settings.fold_held_mb * 1024 * 1024,
            standby_replicas=settings.standbys,
        )


def _bind(settings: Settings, stage: Stage, health: Health) -> Binding:
    log = logger("worker", stage=stage.name)

    def on_dead(stage_name: str, cause: str) -> None:
        DEAD_LETTERS.labels(stage_name).inc()
        log.error("dead letter", cause=cause, topic=stage.dead_letters)

    status = Status(stage.name, lambda: log.info("ready"))
    health.register(f"stage.{stage.name}", lambda: None if status.ready else status.cause)
    return Binding(
        fold=StageFold(stage, partitions=settings.partitions, on_dead=on_dead),
        group=stage.group,
        topic=stage.reads,
        table=stage.table,
        data_dir=Path(settings.data_dir) / "faust" / stage.name,
        status=status,
    )
