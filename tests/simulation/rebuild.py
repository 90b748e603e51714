"""Views made again from the log alone, by the projections of the sinks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sinks.base import Entry, Raw
from sinks.elasticsearch.document import document
from sinks.elasticsearch.writer import _newest
from tests.fakes.views import MemoryTables, MemoryViews
from tests.simulation.index import MemoryIndex
from tests.simulation.platform import Platform, decode_case


def _batches(platform: Platform, topic: str, size: int) -> Iterator[list[Raw]]:
    for partition in range(platform.broker.partitions):
        log = platform.broker.logs[topic, partition]
        raws = [Raw(topic, partition, n, record.key, record.value, 0) for n, record in enumerate(log)]
        yield from (raws[at : at + size] for at in range(0, len(raws), size))


def rebuilt_tables(platform: Platform, topic: str, size: int) -> MemoryTables:
    """Return the Postgres views of a topic, made in batches of this size."""
    tables = MemoryTables()
    views = MemoryViews(tables)
    views.assigned(range(platform.broker.partitions))
    for batch in _batches(platform, topic, size):
        views.apply([Entry(raw, views.decode(raw)) for raw in batch])
    return tables


def rebuilt_index(platform: Platform, topic: str, size: int) -> MemoryIndex:
    """Return the search index, made in batches of this size."""
    index = MemoryIndex()
    for batch in _batches(platform, topic, size):
        entries: list[Entry[Any]] = [Entry(raw, decode_case(raw)) for raw in batch]
        for name, entry in _newest(entries).items():
            assert entry.item is not None
            index.put(name, entry.item.case.version, document(*entry.item))
    return index
