"""The Faust table behind a stage's rows: its changelog fills them, our batches extend it. No fold logic here.

Faust's recovery is kept for what it does well (following the assignment, ordering recovery before streams) and
replaced in what it does slowly or wrongly: records are applied by the fetched chunk, and the end of a recovery is a
latch that cannot be missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import faust
from faust.stores.base import Store
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP

from topologies.faust.rows import Newer, Rows


def changelog_topic(group: str, table: str) -> str:
    """The changelog's name. Faust builds the same one (`Collection._changelog_topic_name`); a test pins that."""
    return f"{group}-{table}-changelog"


class RowStore(Store[bytes, bytes]):
    """The store of a `DurableTable`: `Rows`, seen through the methods that Faust's recovery calls."""

    rows: Rows

    # Overrides Store.persisted_offset (Recovery._add asks for it): the memory of a live process is as good as a file
    # on disk, so a rebalance that leaves a partition here reads on where it stopped instead of from the beginning.
    def persisted_offset(self, tp: TP) -> int | None:
        return self.rows.applied.get(tp.partition)

    # Overrides Store.on_rebalance: what has gone to another worker must not be found here when it comes back.
    async def on_rebalance(
        self,
        assigned: set[TP],  # noqa: ARG002
        revoked: set[TP],
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,  # noqa: ARG002
    ) -> None:
        changelog = self.table._changelog_topic_name()  # noqa: SLF001
        for tp in revoked:
            if tp.topic == changelog:
                self.rows.drop(tp.partition)

    # Overrides Store.apply_changelog_batch, the stock path (one event a record, buffered). Not taken by FoldRecovery,
    # kept equal so that a Faust that finds another way in cannot corrupt the rows: the partition is the message's.
    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:  # noqa: ARG002
        for event in batch:
            message = event.message
            self.rows.recover(message.partition, ((message.key, message.value),))

    def reset_state(self) -> None:
        """Nothing is on disk."""

    async def backup_partition(self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1) -> None:  # noqa: FBT001, FBT002
        """Nothing is on disk; the changelog is the backup."""

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:  # noqa: FBT001, FBT002
        """Nothing is on disk; recovery restores."""


class DurableTable(faust.Table[bytes, bytes]):
    """A table that is never written through Faust: `Rows` plus a changelog topic."""

    def __init__(self, app: Any, *, newer: Newer | None = None, **options: Any) -> None:
        self.rows = Rows(newer)
        # recovery_buffer_size 1 would keep active changelogs flowing over live rows (H22).
        super().__init__(app, key_type=bytes, value_type=bytes, recovery_buffer_size=1000, **options)

    # Overrides Collection._new_store: the store is ours whatever `store=` says. Were it renamed, Faust would build
    # its memory store and the first recovery would fail for want of `rows`.
    def _new_store(self) -> RowStore:
        store = RowStore("memory://", self.app, self, table_name=self.name, loop=self.loop)
        store.rows = self.rows
        return store


class _Latch(asyncio.Event):
    """An event that only `rearm` clears: Faust's `_slurp_changelogs` clears `signal_recovery_end` on each turn, and a
    recovery that ended just before it was awaited would hang for ever (H9).
    """

    def clear(self) -> None:
        """Ignore Faust's clear."""

    def rearm(self) -> None:
        super().clear()


class FoldRecovery(Recovery):
    """Recovery that takes whole fetched chunks from the consumer and knows its end at once."""

    # Overrides the property Recovery.signal_recovery_end, awaited by _restart_recovery.
    @property
    def signal_recovery_end(self) -> asyncio.Event:
        if self._signal_recovery_end is None:
            self._signal_recovery_end = _Latch()
        return self._signal_recovery_end

    # Overrides Recovery._set_recovery_started, which _restart_recovery calls before each wait for the end.
    def _set_recovery_started(self) -> None:
        super()._set_recovery_started()
        latch = self.signal_recovery_end
        assert isinstance(latch, _Latch)
        latch.rearm()

    def feed(self, tp: TP, records: Sequence[Any]) -> None:
        """Apply one fetched chunk of a changelog partition: `offset`, `key` and `value` of each record are read.

        Records at or below what was applied are skipped, so a chunk may come again. Synchronous: no other chunk and no
        rebalance can come in between.
        """
        if tp in self.active_tps:
            offsets = self.active_offsets
        elif tp in self.standby_tps:
            offsets = self.standby_offsets
        else:
            return
        seen = offsets.get(tp)
        if seen is None:
            seen = -1
        rows = self._rows(tp)
        rows.recover(tp.partition, ((r.key, r.value) for r in records if r.offset > seen))
        self.reached(tp, max(seen, records[-1].offset))

    def _rows(self, tp: TP) -> Rows:
        table = self.tp_to_table[tp]
        assert isinstance(table, DurableTable)
        return table.rows

    def reached(self, tp: TP, offset: int) -> None:
        """Note that the changelog is applied up to and including `offset`, and end the recovery if that was all."""
        offsets = self.active_offsets if tp in self.active_tps else self.standby_offsets
        offsets[tp] = offset
        self._rows(tp).applied[tp.partition] = offset
        if self.in_recovery and not self.need_recovery():
            self._set_recovery_ended()
            self.signal_recovery_end.set()

    # Overrides Recovery.on_recovery_completed, called once the active partitions are up to date. A changelog whose last
    # records were removed ends above its last record: what follows is appended at the end, not after that record.
    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        # Stock, a rebalance in the middle of a recovery does not end it: _restart_recovery swallows RebalanceAgain where it
        # awaits the changelogs, and arrives here with the next assignment, whose changelogs were not read (H27).
        if self.signal_recovery_start.is_set() or generation_id != self._generation_id:
            return
        for tp in self.active_tps:
            rows = self._rows(tp)
            end = self.active_highwaters.get(tp)
            if end is not None:
                rows.applied[tp.partition] = max(end, rows.applied.get(tp.partition, -1))
                self.active_offsets[tp] = rows.applied[tp.partition]
        await super().on_recovery_completed(generation_id)


class FoldTables(TableManager):
    """The table manager of a fold: the stock one with `FoldRecovery` (the setting `TableManager` names it)."""

    # Overrides the property TableManager.recovery.
    @property
    def recovery(self) -> FoldRecovery:
        if self._recovery is None:
            self._recovery = FoldRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        recovery = self._recovery
        assert isinstance(recovery, FoldRecovery)
        return recovery

    # Overrides TableManager.on_start: the stock one first sleeps a second, for tables that are declared while the app starts.
    # Ours is there before the app is, and each restart would stand still for that second.
    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
