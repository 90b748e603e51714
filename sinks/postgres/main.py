"""Role `sink.postgres`: every serving view of Postgres, one loop a topic."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from infra.runtime.settings import Settings
from sinks.loop import Loop
from sinks.postgres.live import Live
from sinks.postgres.project import Placed
from sinks.postgres.writer import PostgresViews
from sinks.process import serve
from streams import topics as t

GROUPS: Final = {
    t.CASE_EVENTS: "sink.postgres.case",
    t.ALERT_EVENTS: "sink.postgres.alert",
    t.CONFIG_EVENTS: "sink.postgres.config",
}
"""The group that reads each topic; the same as in `topologies.graph`."""


def run(settings: Settings) -> None:
    """Feed the views until SIGTERM. Raises what ended a loop."""
    with closing(Live(settings.redis)) as live:
        serve("sink.postgres", settings, [_loop(settings, topic, group, live) for topic, group in GROUPS.items()])


def _loop(settings: Settings, topic: str, group: str, live: Live) -> Loop[Placed]:
    views = PostgresViews(settings.postgres_sink.reveal(), sink=group, topic=topic, live=live)
    return Loop(views, bootstrap=settings.kafka, topic=topic, group=group, instance_id=settings.instance_id)
