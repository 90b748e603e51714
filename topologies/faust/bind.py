"""Binds folds to Faust: `build_app` makes a worker of one as a value, `run_together` runs several until SIGTERM."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
import uvloop

from schemas.topics import GENERATION
from topologies.faust.batch import BatchSchema
from topologies.faust.changelog import MAX_BATCH_BYTES, Changelog
from topologies.faust.consumer import FoldConsumer
from topologies.faust.durable_table import DurableTable, FoldTables, changelog_topic
from topologies.faust.ending import RefusedError
from topologies.faust.rows import Newer
from topologies.faust.sender import Sender
from topologies.faust.serving import serve
from topologies.faust.stage import Stage
from topologies.faust.status import Status
from topologies.faust.topics import check_topics
from topologies.faust.transport import FoldProducer, FoldTransport
from topologies.faust.upkeep import Upkeep
from topologies.faust.watch import Watch
from topologies.step import Fold

SESSION_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 20.0
MAX_HELD_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One stage on Faust, built and not yet running."""

    app: faust.App
    status: Status
    table: DurableTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A fold with what it reads and keeps. data_dir: a folder of its own. status: told what becomes of it."""

    fold: Fold
    group: str
    topic: str
    table: str
    data_dir: Path
    status: Status


def _ignore() -> None:
    return


def broker_url(bootstrap: str) -> str:
    """`host:port,host:port` as Faust wants it. Raises `RefusedError` for any driver but Kafka's own (H14)."""
    hosts = [host.strip() for host in bootstrap.split(",") if host.strip()]
    urls = [host if "://" in host else f"kafka://{host}" for host in hosts]
    if not urls:
        raise RefusedError("no broker is named")
    for url in urls:
        if not url.startswith("kafka://"):
            raise RefusedError(f"{url}: only kafka:// is allowed; other drivers drop headers and partition differently")
    return ";".join(urls)


def build_app(
    fold: Fold,
    *,
    group: str,
    topic: str,
    table: str,
    bootstrap: str,
    partitions: int,
    data_dir: Path,
    generation: int = GENERATION,
    instance_id: str | None = None,
    on_ready: Callable[[], None] = _ignore,
    status: Status | None = None,
    newer: Newer | None = None,
    standby_replicas: int = 0,
    batch_size: int = 500,
    max_held_bytes: int = MAX_HELD_BYTES,
    session_timeout_s: float = SESSION_TIMEOUT_S,
    sender: Sender | None = None,
    **settings: Any,
) -> Worker:
    """Make the Faust app of one stage. Touches no network and starts nothing.

    `generation` is the input topic's: raised when the topic is made anew, offsets of older ones count no more.
    `instance_id` makes a restart cost no rebalance. `newer(held, found)` decides, in recovery, between two rows of a
    key. `max_held_bytes` bounds the records between their delivery and their last ack: at that, nothing more is fetched,
    and a partition's fetcher holds at most two more answers of 1 MiB. `sender` is one
    that apps of the same loop share; by itself an app makes its own. `settings` go to Faust as they are. Raises `RefusedError`.
    """
    status = status or Status(fold.name, on_ready)
    app = faust.App(
        group,
        broker=broker_url(bootstrap),
        datadir=str(data_dir),
        **{**_settings(partitions, instance_id, standby_replicas, session_timeout_s), **settings},
    )
    app.transport, app.producer_transport = (
        FoldTransport(
            url,
            app,
            topic=topic,
            generation=generation,
            batch_size=batch_size,
            max_held_bytes=max_held_bytes,
            status=status,
        )
        for url in (app.conf.broker_consumer, app.conf.broker_producer)
    )
    durable = DurableTable(app, name=table, newer=newer, partitions=partitions, beacon=app.tables.beacon)
    app.tables.add(durable)
    # A queue that is never full: the consumer bounds the batches in flight, and a full queue would block all partitions.
    commands = app.topic(topic, schema=BatchSchema(), partitions=partitions, maxsize=1024)

    async def folding(stream: Any) -> None:
        assert isinstance(app.consumer, FoldConsumer)
        assert isinstance(app.producer, FoldProducer)
        stage = Stage(
            fold,
            rows=durable.rows,
            sender=sender or Sender(bootstrap),
            changelog=Changelog(changelog_topic(group, table), app.producer),
            consumer=app.consumer,
            max_silence=session_timeout_s / 2,
            batch_size=batch_size,
        )
        watch = Watch(fold.name, stage, app, topic, status)
        upkeep = Upkeep(stage, durable.rows, app, status, changelog_topic(group, table))
        loop = asyncio.get_running_loop()
        beside = [loop.create_task(watch.run()), loop.create_task(upkeep.run())]
        try:
            async for event in stream.noack().events():
                stage.offer(event.message)
        finally:
            for task in beside:
                task.cancel()

    app.agent(commands, name=f"{group}.fold")(folding)
    return Worker(app=app, status=status, table=durable)


def _settings(partitions: int, instance_id: str | None, standbys: int, session_timeout_s: float) -> dict[str, Any]:
    """Faust's settings where ours differ from its defaults; infra/docs/adr has the reasons."""
    return {
        "processing_guarantee": "at_least_once",
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": instance_id,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "stream_buffer_maxsize": 1024,
        "stream_wait_empty": True,
        "broker_commit_interval": 1.0,
        "broker_session_timeout": session_timeout_s,
        # A member learns of a rebalance by its heartbeat, and the others stand still until the last one has joined.
        "broker_heartbeat_interval": session_timeout_s / 15,
        "broker_rebalance_timeout": 2 * session_timeout_s,
        "broker_request_timeout": 2 * session_timeout_s,
        "broker_max_poll_interval": 120.0,
        "producer_acks": -1,
        # The changelog is sent in batches that are already made; lingering would only delay each.
        "producer_linger": 0.0,
        "producer_max_batch_size": MAX_BATCH_BYTES + 64 * 1024,
        "producer_max_request_size": 4 * 1024 * 1024,
        "producer_compression_type": "lz4",
        "producer_request_timeout": 30.0,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": partitions,
        "table_standby_replicas": standbys,
        "web_enabled": False,
        "TableManager": FoldTables,
        "store": "memory://",
    }


def run(
    fold: Fold,
    *,
    group: str,
    topic: str,
    table: str,
    bootstrap: str,
    partitions: int,
    data_dir: Path,
    status: Status | None = None,
    on_ready: Callable[[], None] = _ignore,
    stop_timeout_s: float = STOP_TIMEOUT_S,
    **options: Any,
) -> None:
    """Run one stage as `run_together` does. `options` are those of `build_app`."""
    binding = Binding(
        fold=fold,
        group=group,
        topic=topic,
        table=table,
        data_dir=data_dir,
        status=status or Status(fold.name, on_ready),
    )
    run_together([binding], bootstrap=bootstrap, partitions=partitions, stop_timeout_s=stop_timeout_s, **options)


def run_together(
    bindings: Sequence[Binding],
    *,
    bootstrap: str,
    partitions: int,
    stop_timeout_s: float = STOP_TIMEOUT_S,
    **options: Any,
) -> None:
    """Run stages in this process until SIGTERM or SIGINT, then let them finish what is in flight, commit and return.

    Each keeps a group, a table and a consumer of its own, and is assigned, recovered and ready by itself; they share the
    event loop and the producer of derived records. Blocks, and must be called in the main thread. `options` are those of
    `build_app`, for all. Raises `RefusedError` before anything starts when the topics are not as they must be. Any failure of
    one ends the process (`ending.EXIT_BROKEN`).
    """
    for one in bindings:
        check_topics(bootstrap, reads=one.topic, changelog=changelog_topic(one.group, one.table), partitions=partitions)
        one.data_dir.mkdir(parents=True, exist_ok=True)

    def build() -> list[Worker]:
        sender = Sender(bootstrap)
        return [
            build_app(
                one.fold,
                group=one.group,
                topic=one.topic,
                table=one.table,
                bootstrap=bootstrap,
                partitions=partitions,
                data_dir=one.data_dir,
                status=one.status,
                sender=sender,
                **options,
            )
            for one in bindings
        ]

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with asyncio.Runner() as runner:
        runner.run(serve(build, stop_timeout_s))
