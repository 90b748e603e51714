"""Faust's Kafka transport with our consumer and an idempotent producer."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from faust.transport.drivers import aiokafka

from topologies.faust.consumer import FoldConsumer
from topologies.faust.status import Status


class FoldProducer(aiokafka.Producer):
    """Writes the changelog, and nothing else: derived records go by `Sender`."""

    # Overrides Producer._settings_extra (called by _new_producer): there is no setting for idempotence.
    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    def create_batch(self) -> Any:
        """An empty record batch of at most `producer_max_batch_size` bytes."""
        return self._ensure_producer().create_batch()

    async def send_batch(self, builder: Any, topic: str, partition: int) -> Awaitable[Any]:
        """Append a closed record batch whole. The future answers with the metadata of its first record."""
        acked: Awaitable[Any] = await self._ensure_producer().send_batch(builder, topic, partition=partition)
        return acked


class FoldTransport(aiokafka.Transport):
    """Made per app, with a consumer class of its own: Faust instantiates `Consumer` with fixed arguments."""

    Producer = FoldProducer

    def __init__(
        self, url: Any, app: Any, *, topic: str, generation: int, batch_size: int, max_held_bytes: int, status: Status
    ) -> None:
        super().__init__(url, app)
        self.Consumer = type(  # type: ignore[misc]
            "FoldConsumer",
            (FoldConsumer,),
            {
                "topic": topic,
                "generation": generation,
                "batch_size": batch_size,
                "max_held_bytes": max_held_bytes,
                "status": status,
                "__module__": FoldConsumer.__module__,
            },
        )
