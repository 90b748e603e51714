"""The Faust message that carries a batch of raw records, and the schema that hands it through undecoded (H4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from faust.serializers.schemas import Schema
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from topologies.faust.frontier import Flight
from topologies.step import Record


class Batch(ConsumerMessage):
    """Up to `batch_size` adjacent records of one partition: `offset` is the first one's.

    A subclass of Faust's message because the conductor, the stream and `wait_empty` handle messages; they read only
    `tp`, `offset`, `acked`, `refcount`, `tracked` and `generation_id` of it.
    """

    __slots__ = ("flight", "records")

    flight: Flight
    records: list[Record]

    @classmethod
    def of(cls, tp: TP, records: list[Record], flight: Flight, generation: int) -> Batch:
        batch = cls(
            tp.topic,
            tp.partition,
            records[0].offset,
            0.0,  # timestamp
            0,  # timestamp type
            None,  # headers
            None,  # key
            None,  # value
            None,  # checksum
            tp=tp,
            generation_id=generation,
        )
        batch.flight = flight
        batch.records = records
        return batch


class BatchSchema(Schema[Any, Any]):
    """Makes the event without decoding: no codec of Faust ever sees a record, so none can drop one (H4)."""

    # Overrides Schema.compile, which Topic._compile_decode calls once a topic. Were it renamed, Faust would try to
    # decode the batch's empty value and deliver an event all the same: the stage reads only the message.
    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        create_event = app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001
            return create_event(None, message.offset, None, message)

        return decode
