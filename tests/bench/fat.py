"""What a command costs where its case is large, or has had very many commands before: CPU of the real fold, without a broker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from schemas import codec
from streams.cases.case import Priority
from streams.cases.commands import AddComment, ChangeAttributes, ChangeDescription, ChangePriority, OpenCase
from streams.envelope import Envelope
from streams.ids import aggregate_key, derive
from streams.text import DESCRIPTION_LIMIT, TAG_LIMIT, TAGS_LIMIT, Sealed
from tests.bench.bench import Bench
from tests.bench.report import Report
from topologies.graph import TOPOLOGY
from topologies.runner import StageFold
from topologies.step import Record, RowGroup, Step
from topologies.testing import MemoryRows

BATCH: Final = 500
FEW: Final = 5_000
HOT: Final = 100_000
"""Commands of one case."""
_TENANT: Final = derive("00000000-0000-0000-0000-000000000000", "fat")


def run(bench: Bench) -> None:
    """Measure a small case, a large one, and a small one along 100 000 commands."""
    report = bench.report
    small, large = _Case("small"), _Case("large")
    large.fatten()
    few = [_best(case) for case in (small, large)]
    report.add(f"a command of a case of {small.row_bytes:,} bytes", few[0], "us of CPU", name="small_us")
    report.add(
        f"a command of a case of {large.row_bytes:,} bytes",
        few[1],
        "us of CPU",
        beside=("times the small one's", few[1] / few[0]),
        name="fat_us",
    )
    _hot(report)


def _best(case: _Case) -> float:
    return min(case.spend(FEW) for _ in range(3))


def _hot(report: Report) -> None:
    hot = _Case("hot")
    report.say(f"{HOT:,} commands of one case")
    costs = [hot.spend(HOT // 10) for _ in range(10)]
    # The first tenth also warms what is kept between batches.
    sooner, later = min(costs[1:4]), min(costs[-3:])
    report.add(
        f"one of the last of {HOT:,} commands of a case",
        later,
        "us of CPU",
        beside=("times one of the first", later / sooner),
        name="hot_us",
    )
    report.note("hot_growth", later / sooner)
    report.add(
        "bytes of the events of a hot case, a command", hot.event_bytes / HOT, "bytes", name="hot_bytes_per_command"
    )


class _Case:
    """One case, folded by the real stage in batches."""

    def __init__(self, name: str) -> None:
        self._id = derive(_TENANT, name)
        self._key = aggregate_key(_TENANT, self._id).encode()
        self._rows = MemoryRows()
        self._fold = StageFold(TOPOLOGY.stage("cases"), partitions=1)
        self._said = 0
        self.event_bytes = 0
        opened = OpenCase(project_id=_TENANT, project_key="OPS", number=1, type_id=_TENANT, title=Sealed.plain("Disk"))
        self._take([self._record(opened)])

    @property
    def row_bytes(self) -> int:
        return len(self._rows.rows[self._key])

    def fatten(self) -> None:
        """Make it nearly as large as its limits allow."""
        tags = {f"{n:03}": ("v" * TAG_LIMIT,) for n in range(TAGS_LIMIT)}
        description = Sealed.plain("\N{FIRE}" * DESCRIPTION_LIMIT)
        self._take([self._record(ChangeAttributes(attributes=tags))])
        self._take([self._record(ChangeDescription(description=description))])

    def spend(self, count: int) -> float:
        """Fold so many commands; return the CPU microseconds of one."""
        batches = list(self._batches(count))
        began = time.process_time()
        for batch in batches:
            self._take(batch)
        return (time.process_time() - began) / count * 1e6

    def _batches(self, count: int) -> Iterator[Sequence[Record]]:
        for first in range(0, count, BATCH):
            yield [self._record(self._body(n)) for n in range(first, min(first + BATCH, count))]

    def _body(self, n: int) -> object:
        if n % 2:
            return AddComment(message=Sealed.plain("Looked at it: the disk fills by about one percent an hour."))
        return ChangePriority(priority=Priority.P1 if n % 4 else Priority.P2)

    def _record(self, body: object) -> Record:
        self._said += 1
        command_id = derive(self._id, "said", self._said)
        envelope = Envelope(
            tenant_id=_TENANT,
            aggregate_id=self._id,
            id=command_id,
            correlation_id=command_id,
            source="bench",
            actor="user:ada",
            occurred_at=self._said,
            recorded_at=self._said,
        )
        return Record(self._said, self._key, codec.encode(envelope, body))

    def _take(self, batch: Sequence[Record]) -> None:
        step: Step = self._fold.fold(0, batch, self._rows)
        assert (step.folded, step.dead, step.skipped) == (len(batch), 0, 0)
        written: list[RowGroup] = step.rows
        self._rows.write(written)
        self.event_bytes += sum(len(sent.value or b"") for sent in step.sends if sent.topic == "case.events")
