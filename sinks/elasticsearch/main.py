"""Role `sink.elasticsearch`: the search view of the cases."""

from __future__ import annotations

from infra.runtime.settings import Settings
from sinks.elasticsearch.writer import GROUP, ElasticsearchCases
from sinks.loop import Loop
from sinks.process import serve
from streams.topics import CASE_EVENTS


def run(settings: Settings) -> None:
    """Feed the search index until SIGTERM. Raises what ended the loop, so that the process ends non-zero."""
    sink = ElasticsearchCases(settings.elasticsearch, settings.postgres_sink.reveal())
    loop = Loop(sink, bootstrap=settings.kafka, topic=CASE_EVENTS, group=GROUP, instance_id=settings.instance_id)
    serve("sink.elasticsearch", settings, [loop], checks={"refresh": sink.ping})
