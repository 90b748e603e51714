"""The internals of Faust, mode and aiokafka that our transport stands on: an upgrade that changes one fails here, loudly."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher as AIOKafkaFetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.serializers.schemas import Schema
from faust.stores.base import Store
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.conductor import Conductor
from faust.transport.consumer import Fetcher
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Producer
from mode.utils.queues import FlowControlEvent

from topologies.faust import changelog, consumer, durable_table, fetching, transport

# (class, method, its parameters after self)
PINNED: list[tuple[type[Any], str, str]] = [
    (Consumer, "_new_consumer_thread", ""),
    (Consumer, "_drain_messages", "fetcher"),
    (Consumer, "ack", "message"),
    (Consumer, "_new_offset", "tp"),
    (Consumer, "_filter_tps_with_pending_acks", "topics"),
    (Consumer, "_commit_offsets", "offsets start_new_transaction"),
    (Consumer, "_commit", "offsets"),
    (Consumer, "commit", "topics start_new_transaction"),
    (Consumer, "on_partitions_revoked", "revoked"),
    (Consumer, "on_partitions_assigned", "assigned generation_id"),
    (Consumer, "pause_partitions", "tps"),
    (Consumer, "resume_partitions", "tps"),
    (Consumer, "perform_seek", ""),
    (Consumer, "seek_wait", "partitions"),
    (Consumer, "_get_active_partitions", ""),
    (Consumer, "earliest_offsets", "partitions"),
    (Consumer, "highwater", "tp"),
    (Consumer, "assignment", ""),
    (Consumer, "subscribe", "topics"),
    (AIOKafkaConsumerThread, "_create_worker_consumer", "transport"),
    (AIOKafkaConsumerThread, "on_start", ""),
    (AIOKafkaConsumerThread, "on_partitions_assigned", "assigned generation_id"),
    (AIOKafkaConsumerThread, "_fetch_records", "consumer active_partitions timeout max_records"),
    (AIOKafkaConsumerThread, "getmany", "active_partitions timeout"),
    (AIOKafkaConsumerThread, "call_thread", "fun args kwargs"),
    (AIOKafkaConsumerThread, "_seek_wait", "consumer partitions"),
    (AIOKafkaConsumerThread, "_ensure_consumer", ""),
    (AIOKafkaConsumerThread, "_commit", "offsets"),
    (AIOKafkaConsumerThread, "crash", "exc"),
    (Producer, "_settings_extra", ""),
    (Producer, "_ensure_producer", ""),
    (Recovery, "_set_recovery_started", ""),
    (Recovery, "_set_recovery_ended", ""),
    (Recovery, "need_recovery", ""),
    (Recovery, "active_remaining_total", ""),
    (Recovery, "on_recovery_completed", "generation_id"),
    (TableManager, "on_start", ""),
    (TableManager, "_update_channels", ""),
    (Collection, "_new_store", ""),
    (Collection, "_changelog_topic_name", ""),
    (Schema, "compile", "app on_key_decode_error on_value_decode_error default_propagate"),
    (Store, "persisted_offset", "tp"),
    (Store, "on_rebalance", "assigned revoked newly_assigned generation_id"),
    (Store, "apply_changelog_batch", "batch to_key to_value"),
    (GroupCoordinator, "_do_heartbeat", ""),
    (GroupCoordinator, "_do_rejoin_group", "subscription"),
    (GroupCoordinator, "fetch_committed_offsets", "partitions"),
    (AIOKafkaProducer, "create_batch", ""),
    (AIOKafkaProducer, "send_batch", "batch topic partition"),
    (AIOKafkaConsumer, "commit", "offsets"),
]

# (our class, what it overrides): an override that no longer overrides anything is dead, and the hazard is back.
OVERRIDDEN: list[tuple[type[Any], type[Any], tuple[str, ...]]] = [
    (
        consumer.FoldConsumer,
        Consumer,
        (
            *("_new_consumer_thread", "_drain_messages", "ack", "_new_offset", "_filter_tps_with_pending_acks"),
            *("_commit_offsets", "on_partitions_revoked", "on_partitions_assigned", "pause_partitions"),
            *("resume_partitions", "perform_seek", "seek_wait", "subscribe"),
        ),
    ),
    (
        fetching.FoldThread,
        AIOKafkaConsumerThread,
        (
            "_create_worker_consumer",
            "on_start",
            "on_partitions_assigned",
            "_fetch_records",
            "_commit",
            "crash",
            "close",
        ),
    ),
    (transport.FoldProducer, Producer, ("_settings_extra",)),
    (
        durable_table.FoldRecovery,
        Recovery,
        ("_set_recovery_started", "on_recovery_completed", "signal_recovery_end"),
    ),
    (durable_table.FoldTables, TableManager, ("recovery", "on_start")),
    (durable_table.DurableTable, Collection, ("_new_store",)),
    (durable_table.RowStore, Store, ("persisted_offset", "on_rebalance", "apply_changelog_batch")),
]


def parameters(method: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]


@pytest.mark.parametrize(("owner", "name", "expected"), PINNED, ids=lambda value: getattr(value, "__name__", value))
def test_an_internal_has_the_signature_that_we_rely_on(owner: type[Any], name: str, expected: str) -> None:
    assert parameters(getattr(owner, name)) == expected.split()


@pytest.mark.parametrize(("ours", "theirs", "names"), OVERRIDDEN, ids=lambda value: getattr(value, "__name__", ""))
def test_each_override_still_overrides_something(ours: type[Any], theirs: type[Any], names: tuple[str, ...]) -> None:
    assert issubclass(ours, theirs)
    for name in names:
        assert inspect.getattr_static(ours, name) is not inspect.getattr_static(theirs, name)


@pytest.mark.parametrize(
    ("package", "expected"),
    [("faust-streaming", "0.15.3"), ("aiokafka", "0.14.0"), ("mode-streaming", "0.7.1")],
)
def test_the_versions_are_the_pinned_ones(package: str, expected: str) -> None:
    assert version(package) == expected


def test_the_lines_that_we_rely_on_inside_other_methods_are_there() -> None:
    """What cannot be pinned by a signature: who calls whom."""
    assert "consumer._drain_messages(self)" in inspect.getsource(Fetcher)
    assert "self._settings_extra()" in inspect.getsource(Producer._new_producer)
    assert "_set_recovery_started" in inspect.getsource(Recovery._restart_recovery.fun)
    assert "signal_recovery_end" in inspect.getsource(Recovery._restart_recovery.fun)
    assert "success = await self._do_rejoin_group(subscription)" in inspect.getsource(GroupCoordinator)
    assert "self._group_instance_id = group_instance_id" in inspect.getsource(GroupCoordinator.__init__)
    assert "await self._consumer.stop()" in inspect.getsource(AIOKafkaConsumerThread.on_thread_stop)
    starting = inspect.getsource(TableManager.on_start)
    assert starting.count("await") == 3, "besides the sleep, both that ours does"
    # By these a recovery knows that its assignment is not the present one any more (H27).
    assert "self._generation_id = generation_id" in inspect.getsource(Recovery.on_rebalance)
    assert "self.on_recovery_completed)(generation_id)" in inspect.getsource(Recovery._restart_recovery.fun)
    assert "consumer.subscribe(await self._update_indices())" in inspect.getsource(Conductor._subscriber.fun)
    assert "_fetch_max_wait_ms" in inspect.getsource(AIOKafkaConsumer)
    assert "self._fetcher = Fetcher(" in inspect.getsource(AIOKafkaConsumer)
    requests = inspect.getsource(AIOKafkaFetcher._get_actions_per_node)
    assert "self._fetch_min_bytes," in requests
    assert "self._fetch_max_wait_ms," in requests
    assert "_max_poll_records" in inspect.getsource(AIOKafkaConsumer.__init__)
    # A batch is handed over without a task while neither of these can make the conductor wait.
    assert "async with self._tp_to_callback_lock" in inspect.getsource(Conductor._compile_message_handler)
    assert "if self._suspend.is_set()" in inspect.getsource(FlowControlEvent.acquire)
    assert "self._do_heartbeat()" in inspect.getsource(GroupCoordinator._heartbeat_routine)
    assert changelog.MAX_BATCH_BYTES < 1_048_588
