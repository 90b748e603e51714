"""One test a hazard of Faust 0.15.3 that needs no broker. Those that do stand in tests/integration/faust.

H1 and H25: commits past what is in flight. H2: a mark moved by a failed commit. H3: an exception acks. H4: what cannot be
decoded is dropped. H5 and H6: sends that fail unnoticed. H7: a table write in another partition. H9: a recovery that
hangs. H12: a stop that hangs. H14: other drivers. H16: topics of the wrong shape. H18: a broker that went silent.
H22: one's own changelog read back. H23: batches that vanish in a rebalance. H27: a rebalance within a recovery, which
counted as its end. H28: a worker that joins while it stops, and shares commands and changelogs apart.

It is long because the list of hazards is: they stand together, by number, so that a missing one shows.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from topologies.faust import ending
from topologies.faust.batch import Batch, BatchSchema
from topologies.faust.bind import build_app
from topologies.faust.changelog import Changelog, ForeignRecordError, GroupTooLargeError, pack
from topologies.faust.consumer import FoldConsumer
from topologies.faust.durable_table import FoldRecovery, _Latch, changelog_topic
from topologies.faust.ending import EXIT_BROKEN, RefusedError
from topologies.faust.frontier import Frontier
from topologies.faust.rows import Rows
from topologies.faust.stage import Stage
from topologies.faust.status import Status
from topologies.faust.watch import Watch
from topologies.guard import newer
from topologies.step import Outgoing, Record, RowGroup, Step

TP0 = TP("commands", 0)


class EndedError(Exception):
    """What `ending.end` is turned into here."""


@pytest.fixture(autouse=True)
def endings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test must outlive the ending of a worker: see it as an exception."""

    def end(cause: str) -> None:
        raise EndedError(cause)

    monkeypatch.setattr(ending, "end", end)


def worker(**options: Any) -> Any:
    return build_app(
        Recording(),
        **{
            "group": "g",
            "topic": "commands",
            "table": "state",
            "bootstrap": "127.0.0.1:9",
            "partitions": 4,
            "data_dir": Path("/nonexistent"),
            **options,
        },
    )


class Recording:
    """A fold that appends one record and writes one row for each command."""

    name = "recording"

    def fold(self, partition: int, records: Any, rows: Any) -> Step:
        step = Step()
        for record in records:
            step.sends.append(Outgoing("events", partition, record.key, record.value))
            step.rows.append(((record.key, record.value),))
        return step


def consumer() -> FoldConsumer:
    """A consumer of a built app that was never started: its bookkeeping alone is asked."""
    return consumer_of(worker())


async def _nothing(*_: Any) -> None:
    """Stands for what Faust does with messages and rebalances."""


def consumer_of(made: Any) -> FoldConsumer:
    held = made.app.transport.create_consumer(_nothing, on_partitions_revoked=_nothing, on_partitions_assigned=_nothing)
    assert isinstance(held, FoldConsumer)
    # Its thread, which is never started here, has a loop of its own.
    held._thread.thread_loop.close()
    return held


# -- H1, H25: the frontier ---------------------------------------------------------------------------------------------


async def test_h1_nothing_is_committable_past_a_batch_in_flight() -> None:
    held = consumer()
    held._frontiers[TP0] = frontier = Frontier(2585)
    first, second = frontier.deliver(2585, 2586), frontier.deliver(2586, 2590)
    frontier.settle(second)

    assert held._new_offset(TP0) is None

    frontier.settle(first)

    assert held._new_offset(TP0) == 2590


# -- H2: commits -------------------------------------------------------------------------------------------------------


async def test_h2_a_commit_that_failed_moves_no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    held = consumer()
    taken = False

    async def commit(_offsets: Any) -> bool:
        return taken

    monkeypatch.setattr(held, "_commit", commit)
    monkeypatch.setattr(held, "assignment", lambda: {TP0})

    assert await held._commit_offsets({TP0: 7}) is False
    assert TP0 not in held._committed_offset

    taken = True

    assert await held._commit_offsets({TP0: 7}) is True
    assert held._committed_offset[TP0] == 7


# -- H3, H4: what reaches the fold ---------------------------------------------------------------------------------------


def batch(frontier: Frontier, *records: Record) -> Batch:
    flight = frontier.deliver(records[0].offset, records[-1].offset + 1)
    return Batch.of(TP0, list(records), flight, 1)


async def test_h3_a_stream_that_acks_a_batch_it_skipped_or_that_raised_makes_nothing_committable() -> None:
    held = consumer()
    held._frontiers[TP0] = frontier = Frontier(0)
    delivered = batch(frontier, Record(0, b"k", b"v"))

    assert held.ack(delivered) is False
    assert held._new_offset(TP0) is None

    held.ack_batch(delivered)

    assert held._new_offset(TP0) == 1


async def test_h4_bytes_that_nothing_can_decode_reach_the_fold_as_they_are() -> None:
    app = worker().app
    decode = BatchSchema().compile(app)
    raw = Record(0, b"\xff", b"\x00\xffno schema")

    event = await decode(batch(Frontier(0), raw), propagate=False)

    assert event.message.records == [raw]


# -- H5, H6, H7: what must be durable before the next step ---------------------------------------------------------------


class Acks:
    def __init__(self) -> None:
        self.acked: list[Batch] = []
        self.age = 0.0

    def ack_batch(self, done: Batch) -> None:
        self.acked.append(done)

    def heartbeat_age(self) -> float:
        return self.age


class Wire:
    """Stands for both producers, and writes down the order of all that happens."""

    def __init__(self, *, fails: str = "") -> None:
        self.fails = fails
        self.log: list[str] = []
        self.partitions: list[int] = []
        self.rows = 0

    async def send(self, records: Any) -> None:
        if records:
            self.log.append("send")
            await asyncio.sleep(0)
            if self.fails == "send":
                raise ConnectionError("no broker")
            self.log.append("acked")

    def create_batch(self) -> Any:
        rows: list[Any] = []

        def append(**row: Any) -> object:
            rows.append(row)
            return row

        return SimpleNamespace(rows=rows, append=append, close=lambda: None)

    async def send_batch(self, builder: Any, _topic: str, partition: int) -> Any:
        self.log.append("changelog")
        self.partitions.append(partition)
        future = asyncio.get_running_loop().create_future()
        if self.fails == "changelog":
            future.set_exception(ConnectionError("not taken"))
        else:
            foreign = len(self.log) * 100 if self.fails == "foreign" else 0
            future.set_result(SimpleNamespace(offset=self.rows + foreign))
            self.rows += len(builder.rows)
        self.log.append(f"rows {len(builder.rows)}")
        return future


def stage(wire: Wire, acks: Acks) -> tuple[Stage, Rows]:
    rows = Rows()
    made = Stage(
        Recording(),
        rows=rows,
        sender=wire,
        changelog=Changelog("log", wire),
        consumer=acks,
        max_silence=7.5,
    )
    return made, rows


async def test_effects_become_durable_one_after_the_other_and_the_ack_is_the_last() -> None:
    wire, acks = Wire(), Acks()
    made, rows = stage(wire, acks)
    delivered = batch(Frontier(0), Record(0, b"k", b"v"))

    await made.process(delivered)

    assert wire.log == ["send", "acked", "changelog", "rows 1"]
    assert acks.acked == [delivered]
    assert rows.of(0).get(b"k") == b"v"


async def test_h5_a_send_that_was_not_acked_leaves_no_row_and_no_ack() -> None:
    wire, acks = Wire(fails="send"), Acks()
    made, rows = stage(wire, acks)

    with pytest.raises(ConnectionError):
        await made.process(batch(Frontier(0), Record(0, b"k", b"v")))

    assert (wire.log, acks.acked, rows.of(0).get(b"k")) == (["send"], [], None)


async def test_h6_a_changelog_that_was_not_acked_leaves_no_row_and_no_ack() -> None:
    wire, acks = Wire(fails="changelog"), Acks()
    made, rows = stage(wire, acks)

    with pytest.raises(ConnectionError):
        await made.process(batch(Frontier(0), Record(0, b"k", b"v")))

    assert (acks.acked, rows.of(0).get(b"k")) == ([], None)


async def test_h6_any_failure_ends_the_process() -> None:
    wire, acks = Wire(fails="changelog"), Acks()
    made, _ = stage(wire, acks)
    made.offer(batch(Frontier(0), Record(0, b"k", b"v")))

    with pytest.raises(EndedError, match="not taken"):
        await made._tasks[0]


async def test_h7_rows_go_to_the_changelog_partition_of_their_batch() -> None:
    wire, acks = Wire(), Acks()
    made, rows = stage(wire, acks)
    frontier = Frontier(0)
    flight = frontier.deliver(0, 1)

    await made.process(Batch.of(TP("commands", 3), [Record(0, b"k", b"v")], flight, 1))

    assert wire.partitions == [3]
    assert rows.of(3).get(b"k") == b"v"
    assert rows.of(0).get(b"k") is None


async def test_a_worker_without_a_heartbeat_for_half_a_session_writes_no_changelog() -> None:
    wire, acks = Wire(), Acks()
    made, _ = stage(wire, acks)
    acks.age = 7.6

    with pytest.raises(EndedError, match="no heartbeat"):
        await made.process(batch(Frontier(0), Record(0, b"k", b"v")))

    assert "changelog" not in wire.log


async def test_a_worker_is_asked_for_its_heartbeat_before_each_record_batch_that_it_sends() -> None:
    wire, asked = Wire(), 0

    def alive() -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise EndedError("no heartbeat")

    groups: list[RowGroup] = [((b"%d" % n, b"x" * 900_000),) for n in range(4)]
    with pytest.raises(EndedError):
        await Changelog("log", wire).write(0, groups, None, alive=alive)

    assert [line for line in wire.log if line.startswith("rows")] == ["rows 1", "rows 1"]


async def test_a_zombies_record_in_the_changelog_is_seen_by_the_gap_it_makes() -> None:
    written = Changelog("log", Wire(fails="foreign"))
    groups: list[RowGroup] = [((b"k", b"v"),)]
    last = await written.write(0, groups, None)

    with pytest.raises(ForeignRecordError):
        await written.write(0, groups, last)


def test_the_rows_of_one_command_are_never_torn_over_record_batches() -> None:
    groups: list[RowGroup] = [tuple((b"%d-%d" % (n, m), b"x" * 60) for m in range(3)) for n in range(50)]

    batches = list(pack(groups, limit=700))

    for rows in batches:
        names = {key.split(b"-")[0] for key in rows}
        assert all({b"%s-%d" % (name, m) for m in range(3)} <= rows.keys() for name in names)
    with pytest.raises(GroupTooLargeError):
        list(pack([((b"k", b"x" * 1000),)], limit=700))


async def test_batches_that_queued_are_folded_as_one_and_each_is_acked() -> None:
    wire, acks = Wire(), Acks()
    made, rows = stage(wire, acks)
    frontier = Frontier(0)
    first, second, third = (batch(frontier, Record(n, b"k%d" % n, b"v")) for n in range(3))

    made.offer(first)
    made.offer(second)
    made.offer(third)
    await made._tasks[0]

    assert wire.log == ["send", "acked", "changelog", "rows 3"]
    assert acks.acked == [first, second, third]
    assert rows.count(0) == 3


async def test_batches_are_folded_as_one_only_up_to_the_size_of_a_batch_and_within_one_seek() -> None:
    wire, acks = Wire(), Acks()
    made, _ = stage(wire, acks)
    made._batch_size = 2
    before, after = Frontier(0), Frontier(1)
    made.offer(batch(before, Record(0, b"k", b"v")))
    made.offer(batch(after, Record(1, b"k", b"v")))
    made.offer(batch(after, Record(2, b"l", b"v")))
    made.offer(batch(after, Record(3, b"m", b"v")))
    await made._tasks[0]

    assert [line for line in wire.log if line.startswith("rows")] == ["rows 1", "rows 2", "rows 1"]


async def test_a_hole_between_batches_that_queued_ends_the_process_before_any_effect() -> None:
    wire, acks = Wire(), Acks()
    made, _ = stage(wire, acks)
    frontier = Frontier(0)
    made.offer(batch(frontier, Record(0, b"k", b"v")))
    frontier.tail = 2
    made.offer(batch(frontier, Record(2, b"k", b"v")))

    with pytest.raises(EndedError, match="HoleError"):
        await made._tasks[0]

    assert (wire.log, acks.acked) == ([], [])


# -- memory ------------------------------------------------------------------------------------------------------------


async def test_what_is_in_flight_is_bounded_in_batches_and_in_bytes() -> None:
    held = consumer_of(worker(max_held_bytes=1000))
    held._frontiers[TP0] = frontier = Frontier(0)
    small = frontier.deliver(0, 1, 400)

    assert (held.full, held.held_bytes) == (False, 400)

    frontier.deliver(1, 2, 600)

    assert (held.full, held.held_bytes) == (True, 1000)

    frontier.settle(small)

    assert (held.full, held.held_bytes) == (False, 600)

    for n in range(2, 2 + held.max_in_flight):
        frontier.deliver(n, n + 1, 1)

    assert held.full is True
    assert held.silence() is None


async def test_a_fetch_that_brought_more_than_there_is_room_for_is_delivered_as_batches_get_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = consumer_of(worker(batch_size=1))
    held.app.rebalancing = False
    held.max_in_flight = 2
    held._frontiers[TP0] = frontier = Frontier(0)
    flights: list[Any] = []

    async def deliver(_tp: TP, chunk: Any) -> None:
        flights.append(frontier.deliver(chunk[0].offset, chunk[0].offset + 1))

    monkeypatch.setattr(held, "_deliver_batch", deliver)
    records = [SimpleNamespace(offset=n, key=b"k", value=b"v") for n in range(3)]
    delivering = asyncio.create_task(held._deliver({TP0: (0, records)}))  # type: ignore[dict-item]
    for _ in range(20):
        await asyncio.sleep(0)

    assert len(flights) == 2

    frontier.settle(flights[0])
    held._room.set()
    await asyncio.wait_for(delivering, 5)

    assert len(flights) == 3


async def test_the_size_of_a_batch_counts_keys_values_and_what_has_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    made = worker()
    held = consumer_of(made)
    held._frontiers[TP0] = frontier = Frontier(0)
    given: list[Any] = []

    async def hand(batch: Any) -> None:
        given.append(batch)

    monkeypatch.setattr(held, "callback", hand)
    made.app.flow_control.resume()
    await held._deliver_batch(
        TP0,
        [
            SimpleNamespace(offset=0, key=b"key", value=b"value", serialized_key_size=3, serialized_value_size=5),
            SimpleNamespace(offset=1, key=None, value=None, serialized_key_size=-1, serialized_value_size=-1),
        ],
    )

    assert [batch.records for batch in given] == [[Record(0, b"key", b"value"), Record(1, None, None)]]
    assert 512 <= frontier.held <= 520


# -- H9: recovery ------------------------------------------------------------------------------------------------------


async def test_h9_the_end_of_a_recovery_cannot_be_missed_by_a_clear_that_comes_late() -> None:
    latch = _Latch()
    latch.set()
    latch.clear()

    assert latch.is_set()

    latch.rearm()

    assert not latch.is_set()


def test_recovery_keeps_the_newest_row_of_a_key_and_writes_it_back() -> None:
    from topologies.guard import Guard

    old, new = Guard(1, 5).encode(b"old"), Guard(1, 9).encode(b"new")
    rows = Rows(newer)
    rows.recover(0, [(b"k", new), (b"k", old)])

    assert rows.of(0).get(b"k") == new
    assert rows.repairs(0) == [((b"k", new),)]
    assert rows.repairs(0) == []


def test_h9_a_worker_that_never_becomes_ready_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    status = Status("hanging", lambda: None)
    watch = Watch("hanging", None, SimpleNamespace(consumer=None), "commands", status, deadline_s=60)  # type: ignore[arg-type]
    watch.look()
    later = time.monotonic() + 121
    monkeypatch.setattr(time, "monotonic", lambda: later)

    with pytest.raises(EndedError, match="not ready"):
        watch.look()


# -- H12, H14, H18, H22 ------------------------------------------------------------------------------------------------


def test_h12_a_stop_that_hangs_is_ended_by_the_watchdog() -> None:
    program = "import time; from topologies.faust import ending; ending.watch_stop(0.2); time.sleep(60)"
    ended = subprocess.run([sys.executable, "-c", program], timeout=30, check=False, stderr=subprocess.DEVNULL)

    assert ended.returncode == EXIT_BROKEN


@pytest.mark.parametrize("url", ["confluent://127.0.0.1:9092", "memory://", "aiokafka://a:1", ""])
async def test_h14_any_other_driver_is_refused(url: str) -> None:
    with pytest.raises(RefusedError):
        worker(bootstrap=url)


def watched(**told: Any) -> Watch:
    status = Status("watched", lambda: None)
    status.assigned([0])
    asked = SimpleNamespace(**{"in_flight": 0, "silence": lambda: 0.1, "lags": lambda: {0: 3}, **told})
    folding = SimpleNamespace(progressed_at=time.monotonic() - told.get("idle", 0))
    return Watch("watched", folding, SimpleNamespace(consumer=asked), "commands", status, deadline_s=60)  # type: ignore[arg-type]


def test_h18_a_broker_that_answers_no_fetch_for_a_minute_ends_the_worker() -> None:
    watched().look()
    with pytest.raises(EndedError, match="no broker answered"):
        watched(silence=lambda: 61.0).look()


def test_h10_batches_that_never_get_done_end_the_worker() -> None:
    watched(in_flight=1, idle=59).look()
    with pytest.raises(EndedError, match="in flight"):
        watched(in_flight=1, idle=61).look()


async def test_h19_a_blocked_loop_shows_in_the_metric() -> None:
    from topologies.faust import metrics

    watch = watched()
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    time.sleep(1.3)  # noqa: ASYNC251 - the blocking call that the hazard is about
    async with asyncio.timeout(5):
        while metrics.LOOP_LAG_SECONDS.labels("watched")._value.get() < 0.2:  # noqa: ASYNC110 - a gauge tells nobody
            await asyncio.sleep(0.01)
    running.cancel()


async def test_h22_a_live_table_never_reads_its_own_changelog_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made = worker()
    held = consumer_of(made)
    monkeypatch.setattr(type(made.app), "consumer", held, raising=False)
    own = TP(changelog_topic("g", "state"), 0)
    paused: set[TP] = set()
    monkeypatch.setattr(held, "pause_partitions", paused.update)
    made.table.rows.write(0, [((b"k", b"new"),)])

    held._apply_changelog(own, [SimpleNamespace(offset=0, key=b"k", value=b"old")])

    assert made.table.rows.of(0).get(b"k") == b"new"
    assert paused == {own}
    assert made.table.recovery_buffer_size > 1


async def test_h23_nothing_of_ours_is_delivered_while_the_app_rebalances(monkeypatch: pytest.MonkeyPatch) -> None:
    held = consumer()
    delivered: list[Any] = []

    async def deliver(tp: TP, chunk: Any) -> None:
        delivered.append((tp, chunk))

    monkeypatch.setattr(held, "_deliver_batch", deliver)
    held.app.rebalancing = True
    held._seek_due = False
    records = [SimpleNamespace(offset=0, key=b"k", value=b"v")]

    await held._deliver({TP0: (0, records)})  # type: ignore[dict-item]

    assert delivered == []
    assert held._seek_due is True

    held.app.rebalancing = False
    await held._deliver({TP0: (0, records)})  # type: ignore[dict-item]

    assert delivered == [(TP0, records)]


async def test_h23_what_was_fetched_before_a_seek_is_never_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    held = consumer()
    monkeypatch.setattr(held, "assignment", lambda: {TP0})
    delivered: list[Any] = []

    async def deliver(tp: TP, chunk: Any) -> None:
        delivered.append((tp, chunk))

    monkeypatch.setattr(held, "_deliver_batch", deliver)
    held.app.rebalancing = False
    held._void()

    await held._deliver({TP0: (0, [SimpleNamespace(offset=0, key=b"k", value=b"v")])})  # type: ignore[dict-item]

    assert delivered == []


async def test_h26_changelogs_flow_while_the_app_rebalances(monkeypatch: pytest.MonkeyPatch) -> None:
    held = consumer()
    applied: list[TP] = []
    monkeypatch.setattr(held, "_apply_changelog", lambda tp, _records: applied.append(tp))
    held.app.rebalancing = True
    own = TP(changelog_topic("g", "state"), 0)

    await held._deliver({own: (0, [SimpleNamespace(offset=0, key=b"k", value=b"v")])})  # type: ignore[dict-item]

    assert applied == [own]


# -- H27, H28: membership ----------------------------------------------------------------------------------------------


async def test_h27_a_recovery_that_a_rebalance_interrupts_takes_nothing_for_read_that_was_not() -> None:
    made = worker()
    recovery: FoldRecovery = made.app.tables.recovery
    own = TP(changelog_topic("g", "state"), 3)
    recovery.add_active(made.table, own)
    recovery._generation_id = 1
    recovery._set_recovery_started()
    recovery.active_highwaters[own] = 9
    recovery.feed(own, [SimpleNamespace(offset=n, key=b"k%d" % n, value=b"v") for n in range(4)])

    recovery._generation_id = 2
    recovery.signal_recovery_start.set()
    await recovery.on_recovery_completed(1)

    assert made.table.rows.applied[3] == 3
    assert recovery.active_offsets[own] == 3
    assert recovery.in_recovery


async def test_h28_a_worker_that_stops_while_it_starts_does_not_join_with_half_of_the_topics(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = consumer()
    subscribed: list[set[str]] = []

    async def subscribe(topics: set[str]) -> None:
        subscribed.append(topics)

    monkeypatch.setattr(held._thread, "subscribe", subscribe)
    both = {"commands", changelog_topic("g", "state")}

    await held.subscribe({"commands"})
    await held.subscribe(both)

    assert subscribed == [both]


async def test_h28_a_partition_without_its_changelog_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    made = worker()
    held = consumer_of(made)
    made.app.tables.recovery.add_active(made.table, TP(changelog_topic("g", "state"), 0))

    held._check_rows([TP0])
    with pytest.raises(EndedError, match=r"partitions \[1, 2\] of commands are assigned here without their changelog"):
        held._check_rows([TP("commands", 2), TP0, TP("commands", 1)])


async def test_the_changelogs_name_is_the_one_that_faust_builds() -> None:
    made = worker()

    assert made.table._changelog_topic_name() == changelog_topic("g", "state")
    assert isinstance(made.app.tables.recovery, FoldRecovery)


async def test_faust_is_configured_as_decided() -> None:
    conf = worker().app.conf

    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.web_enabled is False
    assert conf.topic_allow_declare is False
    assert conf.topic_disable_leader is True
    assert conf.stream_wait_empty is True
    assert (conf.broker_commit_interval, conf.broker_session_timeout) == (1.0, 15.0)
    assert (conf.broker_max_poll_interval, conf.producer_request_timeout) == (120.0, 30.0)
    assert (conf.key_serializer, conf.value_serializer) == ("raw", "raw")


async def test_h4_no_codec_that_could_run_foreign_code_is_ever_asked() -> None:
    app = worker().app

    assert {str(app.conf.key_serializer), str(app.conf.value_serializer)} == {"raw"}
