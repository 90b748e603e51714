"""Writes the search view of case.events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client import Counter

from infra.runtime.errors import PoisonMessage
from schemas.topics import GENERATION
from sinks import metrics
from sinks.base import LOG_START, Entry, Raw, Refused
from sinks.elasticsearch.bulk import Write
from sinks.elasticsearch.document import document, document_id
from sinks.elasticsearch.index import SearchIndex
from sinks.elasticsearch.stored_positions import StoredPositions
from sinks.elasticsearch.visibility import EVERY_SECONDS, Visibility
from sinks.event import event
from streams.cases.case import Case
from streams.outcomes import CommandRejected, CommandUnchanged
from streams.topics import CASE_EVENTS

ALIAS: Final = "case"
GROUP: Final = "sink.elasticsearch.case"
STALE: Final = Counter(
    "sink_stale_documents", "Documents whose version the index had already, or a newer one.", ["group"]
)


class CaseAt(NamedTuple):
    """A case after one of its events."""

    tenant_id: str
    case: Case

    @property
    def document_id(self) -> str:
        return document_id(self.tenant_id, self.case.case_id)


class ElasticsearchCases:
    """A ProjectionSink: one document a case, of the highest version that any event has told.

    elasticsearch: URL. postgres: DSN of the sink role. index: the alias, or an index that a rebuild fills. group: the
    name under which positions are kept: a rebuild has its own. refresh: seconds between refreshes, at the least.

    The position is stored after the index has acked, so what is stored is in the index; what is in it twice is
    there once. `visible_next_offset` follows a refresh.
    """

    def __init__(
        self,
        elasticsearch: str,
        postgres: str,
        *,
        index: str = ALIAS,
        group: str = GROUP,
        topic: str = CASE_EVENTS,
        generation: int = GENERATION,
        refresh: float = EVERY_SECONDS,
    ) -> None:
        self._group = group
        self._index = SearchIndex(elasticsearch, index)
        self._positions = StoredPositions(postgres, sink=group, topic=topic, generation=generation)
        # Its thread asks Postgres over a connection of its own.
        shown = StoredPositions(postgres, sink=group, topic=topic, generation=generation)
        self._visibility = Visibility(self._index.refresh, shown, group=group, every=refresh)

    def decode(self, raw: Raw) -> CaseAt | None:
        """Return the case after the event. None: an outcome, which changes no case."""
        decoded = event(raw)
        case = decoded.after
        if not isinstance(case, Case):
            if isinstance(decoded.body, CommandRejected | CommandUnchanged):
                return None
            raise PoisonMessage(f"{decoded.name} is no event of a case")
        return CaseAt(decoded.envelope.tenant_id, case)

    def assigned(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        self._index.require()
        stored = self._positions.begin(partitions)
        # An earlier process may have ended between its last write and the refresh after it.
        self._visibility.written({p: at.next for p, at in stored.items() if at.visible < at.next})
        return {p: at.next or LOG_START for p, at in stored.items()}

    def apply(self, batch: Sequence[Entry[CaseAt | None]]) -> None:
        self._visibility.check()
        begins, nexts = _bounds(batch)
        self._positions.expect(begins)
        newest = _newest(batch)
        outcome = self._index.write(_writes(newest))
        if outcome.wrong:
            raise Refused([(newest[wrong], cause) for wrong, cause in outcome.wrong.items()])
        self._positions.advance(nexts)
        self._visibility.written(nexts)
        metrics.ROWS.labels(self._group, "case").inc(outcome.written)
        STALE.labels(self._group).inc(outcome.stale)

    def idle(self) -> None:
        self._visibility.check()

    def ping(self) -> str | None:
        """Return why what was written cannot be found yet, None where all is well. For any thread."""
        return self._visibility.trouble

    def close(self) -> None:
        self._visibility.close()
        self._index.close()
        self._positions.close()


def _newest(batch: Sequence[Entry[CaseAt | None]]) -> dict[str, Entry[CaseAt | None]]:
    """Return by document id the entry with the highest version; of one version, the first in the log."""
    newest: dict[str, Entry[CaseAt | None]] = {}
    for entry in batch:
        if entry.item is None:
            continue
        name = entry.item.document_id
        held = newest.get(name)
        if held is None or held.item is None or entry.item.case.version > held.item.case.version:
            newest[name] = entry
    return newest


def _writes(newest: Mapping[str, Entry[CaseAt | None]]) -> Iterator[Write]:
    for name, entry in newest.items():
        if entry.item is not None:
            tenant_id, case = entry.item
            yield Write.of(name, case.version, document(tenant_id, case))


def _bounds(batch: Sequence[Entry[CaseAt | None]]) -> tuple[dict[int, int], dict[int, int]]:
    """Return by partition where the batch begins, and where the next one will."""
    begins: dict[int, int] = {}
    nexts: dict[int, int] = {}
    for entry in batch:
        begins.setdefault(entry.raw.partition, entry.raw.offset)
        nexts[entry.raw.partition] = entry.raw.offset + 1
    return begins, nexts
