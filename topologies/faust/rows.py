"""The rows of a stage's table in memory, as encoded bytes, apart by partition. Pure: knows no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from topologies.step import RowGroup, RowReader
from topologies.timers import TimerIndex

Newer = Callable[[bytes, bytes], bool]
"""`newer(held, found)`: whether the row `found` in the changelog supersedes the row `held`."""


class PartitionRows(dict[bytes, bytes]):
    """The rows of one partition. A stage that asks for its timers has them indexed from then on."""

    __slots__ = ("timers",)

    def __init__(self) -> None:
        self.timers: TimerIndex | None = None

    def due(self, upto: int) -> Iterator[tuple[int, bytes]]:
        if self.timers is None or self.timers.overgrown:
            self.timers = TimerIndex(self)
        return self.timers.due(upto)

    def put(self, timers: TimerIndex, key: bytes, value: bytes | None) -> None:
        before = self.get(key)
        if value is None:
            self.pop(key, None)
        else:
            self[key] = value
        timers.written(key, before, value)


class Rows:
    """Rows by partition. The same key may stand in several partitions: configuration is broadcast to all of them."""

    def __init__(self, newer: Newer | None = None) -> None:
        self._newer = newer
        self._rows: dict[int, PartitionRows] = {}
        self._refused: dict[int, set[bytes]] = {}
        self.applied: dict[int, int] = {}
        """By partition: the last changelog offset that these rows reflect."""

    def of(self, partition: int) -> RowReader:
        """The rows of one partition, alive: later writes show."""
        return self._of(partition)

    def _of(self, partition: int) -> PartitionRows:
        rows = self._rows.get(partition)
        if rows is None:
            rows = self._rows[partition] = PartitionRows()
        return rows

    def write(self, partition: int, groups: Iterable[RowGroup]) -> None:
        """Take over what a fold decided. The fold is the authority, so nothing is compared."""
        rows = self._of(partition)
        if rows.timers is not None:
            for key, value in chain.from_iterable(groups):
                rows.put(rows.timers, key, value)
            return
        for group in groups:
            for key, value in group:
                if value is None:
                    rows.pop(key, None)
                else:
                    rows[key] = value

    def recover(self, partition: int, changes: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Apply changelog records in log order. With `newer`, an older row that came late (a zombie's) is refused."""
        rows = self._of(partition)
        # Made anew of the rows once they are complete.
        rows.timers = None
        newer = self._newer
        if newer is None:
            for key, value in changes:
                if value is None:
                    rows.pop(key, None)
                else:
                    rows[key] = value
            return
        refused = self._refused.setdefault(partition, set())
        for key, value in changes:
            if value is None:
                rows.pop(key, None)
                refused.discard(key)
                continue
            held = rows.get(key)
            if held is None or held == value or newer(held, value):
                rows[key] = value
                refused.discard(key)
            else:
                refused.add(key)

    def to_repair(self, partition: int) -> bool:
        """Whether `repairs` would return anything."""
        return bool(self._refused.get(partition))

    def repairs(self, partition: int) -> list[RowGroup]:
        """The rows whose last changelog record is older than what is held: to be written again, then forgotten here.

        Compaction keeps the last record of a key, which for these is the wrong one.
        """
        keys = self._refused.pop(partition, None) or ()
        rows: Mapping[bytes, bytes] = self._rows.get(partition, {})
        return [((key, rows[key]),) for key in sorted(keys) if key in rows]

    def drop(self, partition: int) -> None:
        """Forget a partition that went to another worker."""
        self._rows.pop(partition, None)
        self._refused.pop(partition, None)
        self.applied.pop(partition, None)

    def count(self, partition: int) -> int:
        return len(self._rows.get(partition, ()))

    def items(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        return iter(self._rows.get(partition, {}).items())
