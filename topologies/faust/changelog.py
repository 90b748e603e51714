"""Appends rows to the changelog: what one command changes goes into ONE record batch, which the broker takes whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

from topologies.step import RowGroup

# Below the broker's usual message.max.bytes of 1 MiB, as a record batch counts as one message there.
MAX_BATCH_BYTES = 960 * 1024
# An upper bound of what a record adds to its key and value: length, attributes, timestamp, offset, three varints.
_RECORD_OVERHEAD = 32


class GroupTooLargeError(Exception):
    """The rows of one command do not fit one record batch. The fold must refuse such a command."""


class ForeignRecordError(Exception):
    """The changelog holds records that this worker did not write: another one owned, or thinks it owns, the partition."""


def pack(groups: Iterable[RowGroup], limit: int = MAX_BATCH_BYTES) -> Iterator[dict[bytes, bytes | None]]:
    """Put whole groups into as few record batches as fit `limit` bytes, in order.

    Within a record batch only the last state of a key remains: the batch is atomic, so no group can be torn. Across
    batches nothing is merged, for the same reason. Raises `GroupTooLargeError`.
    """
    groups = list(groups)
    merged = dict(chain.from_iterable(groups))
    if sum(map(len, merged)) + sum(map(len, filter(None, merged.values()))) + _RECORD_OVERHEAD * len(merged) <= limit:
        # All of it fits one record batch, as nearly always: nothing has to be kept apart.
        if merged:
            yield merged
        return
    batch: dict[bytes, bytes | None] = {}
    size = 0
    for group in groups:
        rows = dict(group)
        grown = size
        for key, value in rows.items():
            grown += _size(key, value)
            if key in batch:
                grown -= _size(key, batch[key])
        if grown > limit and batch:
            yield batch
            batch, grown = {}, sum(_size(key, value) for key, value in rows.items())
        if grown > limit:
            raise GroupTooLargeError(f"{len(rows)} rows of one command take {grown} bytes, over {limit}")
        batch.update(rows)
        size = grown
    if batch:
        yield batch


def _size(key: bytes, value: bytes | None) -> int:
    return len(key) + len(value or b"") + _RECORD_OVERHEAD


class Batches(Protocol):
    """aiokafka's record batches: `create_batch` is its AIOKafkaProducer's, `send_batch` answers with a future ack."""

    def create_batch(self) -> Any: ...

    async def send_batch(self, builder: Any, topic: str, partition: int, /) -> Awaitable[Any]: ...


def _certainly() -> None:
    return


class Changelog:
    """Writes a stage's changelog by aiokafka's record batches. Single writer of the partitions assigned here."""

    def __init__(self, topic: str, producer: Batches) -> None:
        self._topic = topic
        self._producer = producer

    async def write(
        self, partition: int, groups: Iterable[RowGroup], after: int | None, *, alive: Callable[[], None] = _certainly
    ) -> int | None:
        """Append the groups and await the acks. Returns the last offset written, None if there was nothing to write.

        `alive` is called before each send: it ends the process where the partition may be another worker's by now.
        `after` is the changelog's last offset as known; a first ack that is not the next one raises `ForeignRecordError`.
        Raises aiokafka's error where the broker did not take a batch.
        """
        last: int | None = after
        written = False
        acks: list[tuple[Awaitable[Any], int]] = []
        for rows in pack(groups):
            builder = self._producer.create_batch()
            for key, value in rows.items():
                if builder.append(timestamp=None, key=key, value=value) is None:
                    raise GroupTooLargeError(
                        f"a record batch of {len(rows)} rows is over the producer's max_batch_size"
                    )
            builder.close()
            alive()
            acks.append((await self._producer.send_batch(builder, self._topic, partition), len(rows)))
        for ack, count in acks:
            first = (await ack).offset
            written = True
            if first < 0:
                # A retry of a batch that the broker had taken: acked, but its offset is not told any more.
                last = None if last is None else last + count
                continue
            if last is not None and first != last + 1:
                raise ForeignRecordError(f"{self._topic}/{partition}: written at {first}, after {last}")
            last = first + count - 1
        return last if written else None
