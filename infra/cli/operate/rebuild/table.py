"""Makes the table of a stage again: reads what its topics hold, and writes its changelog what recovery would miss."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.claim import claimed
from infra.cli.operate.letter import letters_of
from infra.cli.operate.log import Bounds, Log, Place, place_of
from infra.cli.operate.rebuild.table_plan import BROKEN, TablePlan, compare
from infra.runtime.kafka import create_topics
from infra.runtime.membership import MembershipError, look
from schemas import codec
from schemas.topics import CHANGELOG_CONFIG, GENERATION
from streams.topics import CONFIG_EVENTS
from topologies.alert_effects import ToldRules
from topologies.faust.changelog import MAX_BATCH_BYTES, Changelog, ForeignRecordError
from topologies.faust.rows import Rows
from topologies.guard import newer, split
from topologies.refold import Buried, Refold
from topologies.refoldable import EFFECTS
from topologies.step import Record, RowGroup

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from infra.cli.operate.letter import Partition
    from topologies.graph import Stage

_AT_ONCE: Final = 2_000
_SHOWN: Final = 5


@dataclass(slots=True)
class TableReport:
    """What a rebuild came to. cut: partitions whose oldest commands are gone, with the first that is there."""

    stage: str
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    kept: int = 0
    written: bool = False
    unread: list[str] = field(default_factory=list)
    cut: dict[int, int] = field(default_factory=dict)
    again: int = 0

    def add(self, plan: TablePlan) -> None:
        self.new += plan.new
        self.changed += plan.changed
        self.same += plan.same
        self.gone += plan.gone
        self.kept += plan.kept

    @property
    def differs(self) -> int:
        return self.new + self.changed + self.gone


@dataclass(slots=True, kw_only=True)
class TableRebuild:
    """One run. stage: one of `EFFECTS`; its topics may have other names, as in tests."""

    bootstrap: str
    stage: Stage
    name: str
    progress: Progress
    _log: Log = field(init=False)
    _task: TaskID | None = None

    def __post_init__(self) -> None:
        self._log = Log(self.bootstrap)

    def look(self) -> TableReport:
        """Compare what recovery comes to with what the topics say, and write nothing. Raises Problem where it cannot be said."""
        return self._run(write=False)

    def run(self) -> TableReport:
        """Write what is missing, and look that recovery has it. Killed, it is run again before any worker starts."""
        self._alone()
        create_topics(self.bootstrap, {self.stage.changelog: CHANGELOG_CONFIG}, partitions=len(self._input()))
        with claimed(self.bootstrap, self.stage.changelog):
            report = self._run(write=True)
            if report.differs:
                left = self._run(write=False).differs
                if left:
                    raise Problem(
                        f"{left} rows are still not as they should be", hint="Somebody else wrote. Run it again."
                    )
        return report

    def _input(self) -> dict[int, Bounds]:
        bounds = self._log.bounds([self.stage.reads])
        if not bounds:
            raise Problem(f"there is no topic {self.stage.reads}", exit_code=Exit.NOT_FOUND)
        return {place.partition: span for place, span in bounds.items()}

    def _alone(self) -> None:
        try:
            (group,) = look(self.bootstrap, {self.stage.group: self.stage.reads})
        except MembershipError as error:
            raise Problem(f"Kafka: {error}", exit_code=Exit.UNAVAILABLE) from error
        if group.members or not group.settled:
            who = ", ".join(member.instance or member.member_id for member in group.members)
            raise Problem(
                f"{who or 'somebody'} still folds {self.stage.name}",
                hint="Stop every worker of this stage, then `case-cli workers leave INSTANCE` each; `workers list` shows them.",
                exit_code=Exit.NOT_ALLOWED,
            )

    def _run(self, *, write: bool) -> TableReport:
        report = TableReport(stage=self.name)
        stage, commands = self.stage, self._input()
        assert stage.events is not None
        events = self._log.bounds([stage.events])
        changelog = self._log.bounds([stage.changelog])
        with _mended():
            committed = asyncio.run(_committed(self.bootstrap, stage.group))
        for place, span in events.items():
            if span.start:
                raise Problem(f"{place.topic}/{place.partition} does not begin at offset 0 any more: its rows are lost")
        dead = letters_of(self._log.read(self._log.bounds([stage.dead_letters])))
        rules = self._rules() if "rules" in stage.config else None
        self._task = self.progress.add_task(
            "writing the table" if write else "comparing the table",
            total=sum(span.end - span.start for part in (commands, events, changelog) for span in part.values()),
        )
        for partition, span in sorted(commands.items()):
            position = committed.get(Place(stage.reads, partition), span.start)
            if not span.start <= position <= span.end:
                raise Problem(
                    f"the stage is committed at {position} of {stage.reads}/{partition}, which has {span.start} to {span.end}",
                    hint="`case-cli offsets` shows it. Commands were lost, or the topic was made anew.",
                )
            refold = Refold(stage, EFFECTS[self.name](), start=span.start, committed=position)
            self._tell(refold, partition, span, events, dead)
            for row, state in () if rules is None else rules.before(refold.causes):
                refold.told(row, state)
            if refold.faults:
                raise Problem(
                    f"the log is not whole, {len(refold.faults)} faults: " + "; ".join(refold.faults[:_SHOWN])
                )
            report.unread += refold.unread
            report.again += span.end - position
            if span.start:
                report.cut[partition] = span.start
            place = Place(stage.changelog, partition)
            bounds = changelog.get(place, Bounds(0, 0))
            plan = compare(self._held(place, bounds), (group for _, group in refold.rows()), start=span.start)
            report.add(plan)
            if write and plan.differs:
                self._write(partition, plan, bounds.end - 1)
        report.written = write
        self.progress.remove_task(self._task)
        return report

    def _rules(self) -> ToldRules:
        """Return what tenants' rules ever were: what the stage was told, and may be in no record of its topic any more."""
        rules = ToldRules()
        for message in self._log.read(self._log.bounds([CONFIG_EVENTS])):
            place, offset = place_of(message)
            try:
                rules.event((message.key() or b"").decode(), codec.decode(message.value()))
            except codec.UnknownSchema as error:
                raise Problem(
                    f"{place.topic}/{place.partition}:{offset} is of a newer writer: {error}",
                    hint="Upgrade this program first.",
                ) from error
            except (codec.Undecodable, UnicodeDecodeError):
                # Nobody can read it: no view has it either.
                continue
        return rules

    def _tell(
        self,
        refold: Refold,
        partition: int,
        span: Bounds,
        events: Mapping[Place, Bounds],
        dead: Mapping[Place, Partition],
    ) -> None:
        stage = self.stage
        for there in dead.values():
            for letter in there.letters:
                if letter.topic == stage.reads and letter.partition == partition and letter.at >= 0:
                    pending = letter.offset not in there.settled
                    refold.buried(Buried(letter.at, letter.key, letter.value, letter.cause, pending))
        for record, _ in self._read(Place(stage.reads, partition), span):
            refold.command(record)
        place = Place(stage.events or "", partition)
        for record, where in self._read(place, events.get(place, Bounds(0, 0))):
            refold.event(record, where)

    def _held(self, place: Place, bounds: Bounds) -> Mapping[bytes, bytes]:
        """Return the rows that recovery comes to today."""
        rows = Rows(newer)
        try:
            for record, _ in self._read(place, bounds):
                rows.recover(place.partition, ((record.key or b"", record.value),))
            held = dict(rows.items(place.partition))
            for row in held.values():
                split(row)
        except BROKEN as error:
            raise Problem(
                f"{place.topic}/{place.partition} has rows that nobody can read: {error}",
                hint=f"Delete the topic {place.topic}, and run this again: it makes a new one.",
            ) from error
        return held

    def _read(self, place: Place, span: Bounds) -> Iterator[tuple[Record, str]]:
        count = 0
        for message in self._log.read({place: span}):
            _, offset = place_of(message)
            yield Record(offset, message.key(), message.value()), f"{place.topic}/{place.partition}:{offset}"
            count += 1
            if count % 1_000 == 0:
                self._move(1_000)
        # Compaction leaves holes: what was passed over counts as read.
        self._move(span.end - span.start - count // 1_000 * 1_000)

    def _move(self, count: int) -> None:
        assert self._task is not None
        self.progress.advance(self._task, count)

    def _write(self, partition: int, plan: TablePlan, after: int) -> None:
        self._alone()
        with _mended():
            last = asyncio.run(self._append(partition, plan.removals, after))
            asyncio.run(self._append(partition, plan.groups, last))

    async def _append(self, partition: int, groups: list[RowGroup], after: int) -> int:
        """Append by record batches, which the broker takes whole, and return the changelog's last offset."""
        async with _Producer(self.bootstrap) as producer:
            changelog = Changelog(self.stage.changelog, producer)
            for at in range(0, len(groups), _AT_ONCE):
                last = await changelog.write(partition, groups[at : at + _AT_ONCE], after)
                after = after if last is None else last
        return after


class _Producer:
    """aiokafka's producer as `Changelog` asks for it: with the settings of a stage's own."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=MAX_BATCH_BYTES + 64 * 1024,
            max_request_size=4 * 1024 * 1024,
            compression_type="lz4",
        )
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    def create_batch(self) -> Any:
        return self._producer.create_batch()

    async def send_batch(self, builder: Any, topic: str, partition: int, /) -> Any:
        return await self._producer.send_batch(builder, topic, partition=partition)


@contextmanager
def _mended() -> Iterator[None]:
    try:
        yield
    except ForeignRecordError as error:
        raise Problem(
            f"a worker wrote meanwhile: {error}", hint="Stop it, and run this again before it starts."
        ) from error
    except KafkaError as error:
        raise Problem(
            f"Kafka: {error}", hint="Run this again before any worker starts.", exit_code=Exit.UNAVAILABLE
        ) from error


async def _committed(bootstrap: str, group: str) -> dict[Place, int]:
    """Return the next offsets of this generation of the topic; older ones count as none, for the worker too."""
    # Not by confluent's client, which reads what is stored with an offset beyond its end.
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        stored = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    found: dict[Place, int] = {}
    for tp, at in stored.items():
        said = (at.metadata or "").removeprefix("generation=")
        # One without a number counts for the first generation.
        generation = max(int(said) if said.isdecimal() else 0, 1)
        if generation > GENERATION:
            raise Problem(f"{group} is committed in generation {generation}; this program knows {GENERATION}")
        if at.offset >= 0 and generation == GENERATION:
            found[Place(tp.topic, tp.partition)] = at.offset
    return found
