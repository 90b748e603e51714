"""Fills an index with the newest state of every case in some stretch of the log, in two readings of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.log import Bounds, Log, Place, raw_of
from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.rebuild.postgres_feed import batches
from infra.cli.operate.truth import Name, State
from infra.runtime.errors import Backpressure, Transient
from sinks.base import Raw
from sinks.elasticsearch.bulk import Write
from sinks.elasticsearch.document import document, document_id
from sinks.elasticsearch.index import SearchIndex
from sinks.event import event

if TYPE_CHECKING:
    from infra.cli.operate.bars import Counted

_BATCH: Final = 4_000
_TRIES: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFeed:
    """The first reading finds the newest event of every case; the second writes those alone. What is there already is newer or
    the same, so that a stretch may be written twice.
    """

    log: Log
    index: SearchIndex

    def scan(self, spans: Mapping[Place, Bounds], base: Mapping[Name, State], bar: Counted | None = None) -> Newest:
        """Return what these records say, and write nothing."""
        whole = Newest()
        for place, span in spans.items():
            read = Newest(base=base)
            for messages in batches(self.log.read({place: span}), _BATCH):
                for message in messages:
                    read.read(raw_of(message))
                if bar is not None:
                    bar.move(len(messages))
            whole.join(read)
        return whole

    def write(self, spans: Mapping[Place, Bounds], newest: Newest, bar: Counted | None = None) -> None:
        """Write the newest state of every case whose newest event is in these stretches."""
        at = {where: name for name, where in newest.at.items()}
        for place, span in spans.items():
            found = (
                (at[raw.partition, raw.offset], raw)
                for raw in map(raw_of, self.log.read({place: span}))
                if (raw.partition, raw.offset) in at
            )
            for some in batches(found, _BATCH):
                self._write(some, newest)
                if bar is not None:
                    bar.move(len(some))

    def _write(self, found: Sequence[tuple[Name, Raw]], newest: Newest) -> None:
        tries = iter(_TRIES)
        while True:
            try:
                outcome = self.index.write(_writes(found))
            except (Transient, Backpressure) as away:
                pause = next(tries, None)
                if pause is None:
                    hint = "Nothing was switched. Run the same again: it goes on where it was."
                    raise Problem(str(away), hint=hint, exit_code=Exit.UNAVAILABLE) from away
                time.sleep(pause)
                continue
            if not outcome.wrong:
                return
            for name, raw in found:
                cause = outcome.wrong.get(document_id(*name))
                if cause is not None:
                    newest.refuse(raw, event(raw), cause)
            found = [(name, raw) for name, raw in found if document_id(*name) not in outcome.wrong]


def _writes(found: Sequence[tuple[Name, Raw]]) -> Iterator[Write]:
    for name, raw in found:
        case = event(raw).after
        yield Write.of(document_id(*name), case.version, document(name.tenant_id, case))
