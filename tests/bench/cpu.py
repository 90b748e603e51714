"""What the pure folds cost of a processor: no engine, no thread, only CPU time, which other work on the machine drifts little.

Signals go through the stages `alerts`, `intake` and `cases` in memory, each apart in decode, decide and fold, encode and the rest
(guards, rows, checks); then commands of people go to cases in tables of growing size. The floor reads the same records by
fastavro, keeps them in a dict and writes them again.
"""

from __future__ import annotations

import io
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import fastavro

from schemas import codec, registry
from streams.cases.case import Priority, Status
from streams.cases.commands import AddComment, AssignCase, ChangePriority, ChangeStatus, ChangeTitle
from streams.config.changes import ProjectChanged
from streams.config.project import Project
from streams.envelope import Envelope
from streams.ids import aggregate_key, derive
from streams.stage import Handled
from streams.text import Sealed
from streams.topics import CASE_COMMANDS, CASE_INTAKE
from tests.bench.bench import Bench
from tests.bench.field import Place
from tests.bench.report import Report, short
from tests.bench.signals import triggers
from topologies.graph import TOPOLOGY
from topologies.guard import split
from topologies.outputs import Outputs
from topologies.runner import StageFold
from topologies.step import Outgoing, Record
from topologies.testing import MemoryRows

R = TypeVar("R")

SIGNALS: Final = 5_000
BATCH: Final = 500
ROUNDS: Final = 3
"""The best of so many counts: whatever else happened meanwhile only adds."""
STAGES: Final = (("alerts", CASE_INTAKE), ("intake", CASE_COMMANDS), ("cases", None))
Said = Sequence[tuple[bytes, bytes]]
"""Keys and values of records."""


def run(bench: Bench) -> None:
    report = bench.report
    places = _places()
    opened = _signals(report, places)
    for size in bench.sizes:
        report.say(f"commands to {size:,} cases")
        table = _table(places, opened, size)
        spent = min(_changed(table, size, n) for n in range(ROUNDS))
        report.add(
            f"a command of a person, {short(size)} cases", spent, "us of CPU", name=f"change_cpu_us_{short(size)}"
        )


@dataclass(slots=True)
class _Stage:
    """One stage in memory: its fold and its table, all of one partition."""

    fold: StageFold
    rows: MemoryRows = field(default_factory=MemoryRows)
    offset: int = 0

    def take(self, said: Said) -> tuple[list[Outgoing], float]:
        """Fold all and return what it sends, and the CPU seconds of the fold alone."""
        sent: list[Outgoing] = []
        spent = 0.0
        for at in range(0, len(said), BATCH):
            batch = [Record(self.offset + n, key, value) for n, (key, value) in enumerate(said[at : at + BATCH])]
            self.offset += len(batch)
            began = time.process_time()
            step = self.fold.fold(0, batch, self.rows)
            spent += time.process_time() - began
            assert not step.dead, step.sends
            sent += step.sends
            for group in step.rows:
                for key, row in group:
                    assert row is not None
                    self.rows.rows[key] = row
        return sent, spent


def _stage(name: str) -> _Stage:
    return _Stage(StageFold(TOPOLOGY.stage(name), partitions=1))


def _places() -> tuple[Place, ...]:
    tenants = [derive(str(uuid.UUID(int=0)), n) for n in range(16)]
    return tuple(
        Place(tenant_id=tenant, project_id=derive(tenant, "project"), project_key=f"OPS{n}")
        for n, tenant in enumerate(tenants)
    )


def _signals(report: Report, places: tuple[Place, ...]) -> Said:
    """Measure signals into cases; return the records that the cases were opened by."""
    report.say(f"{SIGNALS:,} signals into cases, in memory")
    best: dict[str, dict[str, float]] = {}
    for n in range(ROUNDS):
        said: Said = list(triggers(places, SIGNALS, name=f"cpu-{n}"))
        for name, topic in STAGES:
            stage = _stage(name)
            if name == "intake":
                stage.take([_project(place) for place in places])
            primed = dict(stage.rows.rows)
            sent, spent = stage.take(said)
            parts = {"whole": spent, **_apart(stage.fold, said, primed), "floor": _floor(said)}
            known = best.setdefault(name, parts)
            best[name] = {part: min(known[part], seconds) for part, seconds in parts.items()}
            if topic is None:
                break
            said = [(r.key or b"", r.value or b"") for r in sent if r.topic == topic]
            assert len(said) == SIGNALS
    _say(report, best)
    return said


def _say(report: Report, best: dict[str, dict[str, float]]) -> None:
    each = 1e6 / SIGNALS
    for name, parts in best.items():
        whole, floor = parts["whole"] * each, parts["floor"] * each
        report.add(
            f"stage {name}, a signal",
            whole,
            "us of CPU",
            beside=("of fastavro's floor", whole / floor),
            name=f"{name}_cpu_us",
        )
        report.note(f"{name}_floor_cpu_us", floor)
        for part in ("decode", "decide", "encode"):
            report.note(f"{name}_{part}_cpu_us", parts[part] * each)
        apart = parts["decode"] + parts["decide"] + parts["encode"]
        report.note(f"{name}_rest_cpu_us", max(0.0, parts["whole"] - apart) * each)
    total = sum(parts["whole"] for parts in best.values()) * each
    report.add("all three stages, a signal", total, "us of CPU", name="signal_cpu_us")


def _apart(fold: StageFold, said: Said, primed: dict[bytes, bytes]) -> dict[str, float]:
    """The CPU seconds of decoding, of the domain's own functions, and of encoding, over all records."""
    states = _States({key.decode(): codec.decode_row(split(row)[1]) for key, row in primed.items()})
    decoded, decoding = _timed(lambda: [codec.decode(value) for _, value in said])
    keys = [key.decode() for key, _ in said]

    def decide() -> list[Handled]:
        return [
            states.keep(key, fold.logic.handle(key, d.envelope, d.body, states))
            for key, d in zip(keys, decoded, strict=True)
        ]

    handled, deciding = _timed(decide)
    outputs = Outputs(fold.stage, 1, 0, 1)

    def encode() -> None:
        for (key, _), record, made in zip(said, decoded, handled, strict=True):
            outputs.begin(0, key, record.envelope, uuid.UUID(record.envelope.id).bytes)
            for n, event in enumerate(made.events):
                outputs.event(n, event, codec.encode_row(event.after), last=n == len(made.events) - 1)
            for n, forward in enumerate(made.forwards):
                outputs.forward(n, forward)
            for row in made.rows.values():
                codec.encode_row(row)

    _, encoding = _timed(encode)
    return {"decode": decoding, "decide": deciding, "encode": encoding}


class _States:
    """Rows as the domain sees them, with nothing of what guards them."""

    def __init__(self, states: dict[str, Any]) -> None:
        self._states = states

    def get(self, key: str, kind: type[R], /) -> R | None:
        state = self._states.get(key)
        assert state is None or isinstance(state, kind)
        return state

    def keep(self, key: str, handled: Handled) -> Handled:
        if handled.row is not None:
            self._states[key] = handled.row
        self._states.update(handled.rows)
        return handled


def _floor(said: Said) -> float:
    """The same records by fastavro: read, kept in a dict, written again."""
    schema_id = int.from_bytes(said[0][1][1:5], "big")
    name, _, version = next(name for name, known in registry.ids().items() if known == schema_id).rpartition(".v")
    schema = fastavro.parse_schema(registry.plain_schema(name, int(version)))

    def fold() -> None:
        held: dict[bytes, Any] = {}
        for key, value in said:
            datum: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
            held[key] = datum
            out = io.BytesIO()
            out.write(value[:5])
            fastavro.schemaless_writer(out, schema, datum)

    return _timed(fold)[1]


def _project(place: Place) -> tuple[bytes, bytes]:
    project = Project(
        project_id=place.project_id,
        version=1,
        key=place.project_key,
        name=Sealed.plain("Operations"),
        created_at=1,
    )
    envelope = _envelope(place.tenant_id, place.tenant_id, derive(place.project_id, "told"))
    return place.tenant_id.encode(), codec.encode(envelope, ProjectChanged(project=project))


def _envelope(tenant_id: str, aggregate_id: str, command_id: str) -> Envelope:
    now = time.time_ns() // 1_000
    return Envelope(
        tenant_id=tenant_id,
        aggregate_id=aggregate_id,
        id=command_id,
        correlation_id=command_id,
        source="api",
        actor="user:1",
        occurred_at=now,
        recorded_at=now,
    )


def _table(places: tuple[Place, ...], opened: Said, size: int) -> _Stage:
    """Stage `cases` with so many rows: those of real cases, again and again under other keys, each its own bytes."""
    stage = _stage("cases")
    stage.take(opened[:BATCH])
    made = list(stage.rows.rows.values())
    for n in range(size):
        place = places[n % len(places)]
        stage.rows.rows[_key(place, n)] = bytes(bytearray(made[n % len(made)]))
    return stage


def _key(place: Place, n: int) -> bytes:
    return aggregate_key(place.tenant_id, _case(n)).encode()


def _case(n: int) -> str:
    return str(uuid.UUID(int=n))


def _changed(stage: _Stage, size: int, seed: int) -> float:
    """CPU microseconds of a command to cases all over the table."""
    _, spent = stage.take(list(_commands(size, seed)))
    return spent / SIGNALS * 1e6


def _commands(size: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    chosen, places = random.Random(seed), _places()
    for n in range(SIGNALS):
        case = chosen.randrange(size)
        place = places[case % len(places)]
        body = (
            ChangeStatus(status=(Status.IN_PROGRESS, Status.CLOSED, Status.OPEN)[seed % 3]),
            ChangePriority(priority=Priority.P5),
            AssignCase(assignee_id=f"user-{n % 50}"),
            AddComment(message=Sealed.plain(f"Somebody looks at it, says {n}")),
            ChangeTitle(title=Sealed.plain(f"Another title, number {n}")),
        )[n % 5]
        envelope = _envelope(place.tenant_id, _case(case), derive(str(uuid.UUID(int=seed)), n))
        yield _key(place, case), codec.encode(envelope, body)


def _timed(work: Callable[[], R]) -> tuple[R, float]:
    began = time.process_time()
    made = work()
    return made, time.process_time() - began
