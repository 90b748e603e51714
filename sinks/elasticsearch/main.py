"""Role `sink.elasticsearch`: the search view of the cases."""

from __future__ import annotations

from typing import Final

from infra.runtime.pace import Pace
from infra.runtime.settings import Settings
from sinks.elasticsearch.writer import GROUP, ElasticsearchCases
from sinks.loop import Loop
from sinks.process import serve
from streams.topics import CASE_EVENTS

GATHER_SECONDS: Final = 0.2
PER_RECORD: Final = 500e-6
"""A bulk request of 20 documents costs the index ten times as much a document as one of 500; and what is written before
the next refresh, half a second away, is found no sooner for being sent at once.
"""


def run(settings: Settings) -> None:
    """Feed the search index until SIGTERM. Raises what ended the loop, so that the process ends non-zero."""
    sink = ElasticsearchCases(settings.elasticsearch, settings.postgres_sink.reveal())
    loop = Loop(
        sink,
        bootstrap=settings.kafka,
        topic=CASE_EVENTS,
        group=GROUP,
        instance_id=settings.instance_id,
        pace=Pace(GATHER_SECONDS, PER_RECORD),
    )
    serve("sink.elasticsearch", settings, [loop], checks={"refresh": sink.ping})
