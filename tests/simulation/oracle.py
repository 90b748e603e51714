"""What a stage owes: its log folded here once, straight through. No offset may pass a record whose effects are missing."""

from __future__ import annotations

from collections import defaultdict

from tests.simulation.broker import Broker, Pair, Place
from topologies.graph import Stage
from topologies.guard import newer
from topologies.runner import StageFold
from topologies.step import Record
from topologies.testing import MemoryRows


class Oracle:
    """rows: by partition, as they must be once all is folded. sends: every record that must, and may, have been made."""

    def __init__(self, broker: Broker, stage: Stage) -> None:
        self.stage = stage
        self.rows: dict[int, MemoryRows] = defaultdict(MemoryRows)
        self.sends: dict[Place, set[Pair]] = defaultdict(set)
        self._broker = broker
        self._fold = StageFold(stage, partitions=broker.partitions)
        self._at: dict[int, int] = defaultdict(int)

    def pass_(self, partition: int, offset: int) -> None:
        """Assert that everything before `offset` is durable: its records sent, its rows in the changelog."""
        at = self._at[partition]
        if offset <= at:
            return
        log = self._broker.logs[self.stage.reads, partition]
        assert offset <= len(log), (
            f"I7 {self.stage.name}/{partition}: {offset} was committed, the log ends at {len(log)}"
        )
        records = self._broker.records(self.stage.reads, partition, at, offset)
        while records:
            left = self._owe(partition, offset, records)
            records = records[len(records) - left :] if left else []
        self._at[partition] = offset

    def _owe(self, partition: int, offset: int, records: list[Record]) -> int:
        """Fold records and assert that what they lead to is there; return how many of them are left."""
        rows = self.rows[partition]
        step = self._fold.fold(partition, records, rows)
        for record in (*step.broadcasts, *step.sends):
            place, pair = self._broker.place(record), (record.key, record.value)
            self.sends[place].add(pair)
            assert pair in self._broker.seen[place], (
                f"I7 {self.stage.name}/{partition}: {offset} was committed, and a record to {place[0]} is missing"
            )
        final = {key: row for group in step.rows for key, row in group}
        written = self._broker.highest[self.stage.changelog, partition]
        for key, row in final.items():
            held = written.get(key, b"")
            assert held is None or row is None or (held and newer(row, held)), (
                f"I7 {self.stage.name}/{partition}: {offset} was committed, and the row {key.decode()} is missing"
            )
        rows.write(step.rows)
        return step.left
