"""Every class of bad input in one log of a real worker on a real broker: it goes aside, and the rest counts once."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from infra.cli.operate.letter import headers_of
from schemas import codec
from schemas.letter import BYTES
from schemas.topics import DEAD_LETTER_CONFIG
from streams.cases.case import STANDARD_TYPE, Priority
from streams.cases.commands import AddComment, ChangePriority, ChangeTitle, OpenCase
from streams.envelope import Envelope
from streams.ids import aggregate_key
from streams.outcomes import CommandRejected
from streams.text import Sealed
from topologies.partition import partition_of

from .harness import PARTITIONS, Logs, await_, worker
from .stumbling import stage

pytestmark = pytest.mark.engines

TENANT = "11111111-1111-4111-8111-111111111111"
CASES = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"case {n}")) for n in range(24)]
STUMBLES = CASES[0]
MODULE = "tests.integration.faust.stumbling"

Sent = tuple[bytes | None, bytes | None]


def command(case_id: str, body: Any, **changed: Any) -> Sent:
    some = str(uuid.uuid4())
    envelope = Envelope(
        tenant_id=TENANT,
        aggregate_id=case_id,
        id=some,
        correlation_id=some,
        source="test",
        actor="user:u",
        occurred_at=1,
        recorded_at=1,
        reply_by=1,
    )
    return aggregate_key(TENANT, case_id).encode(), codec.encode(replace(envelope, **changed), body)


def opening(case_id: str) -> Sent:
    body = OpenCase(
        project_id=str(uuid.uuid4()),
        project_key="OPS",
        number=1,
        type_id=STANDARD_TYPE,
        title=Sealed.plain("sound"),
    )
    return command(case_id, body)


def poison() -> dict[str, Sent]:
    """One of each class. Each but the last two has the key of a sound case, so it stands among its commands."""
    key, value = command(CASES[1], ChangeTitle(title=Sealed.plain("poison")))
    assert value is not None
    foreign = command(CASES[1], ChangeTitle(title=Sealed.plain("poison")), tenant_id=str(uuid.uuid4()))
    return {
        "no value": (key, None),
        "an empty value": (key, b""),
        "another framing": (key, b"{" + value),
        "a schema of tomorrow": (key, b"\0\0\0\xff\xff" + value[5:]),
        "a body that is cut off": (key, value[:-3]),
        "bytes behind the body": (key, value + b"\0"),
        "the envelope of another tenant": (key, foreign[1]),
        "the envelope of another case": (key, command(CASES[2], ChangePriority(priority=Priority.P1))[1]),
        "a megabyte of nothing": (key, b"\xa5" * 1_000_000),
        "no key": (None, value),
        "an empty key": (b"", value),
    }


def produce(logs: Logs, records: list[tuple[int, Sent]], **config: Any) -> None:
    settings = {"bootstrap.servers": logs.bootstrap, "message.max.bytes": 1_040_000, "linger.ms": 50, **config}
    producer = Producer(settings)
    for partition, (key, value) in records:
        producer.produce(logs.commands, value, key, partition=partition)
    assert producer.flush(30) == 0


def at(sent: Sent) -> int:
    return partition_of(sent[0] or b"", PARTITIONS)


@pytest.fixture
def dead(logs: Logs) -> str:
    name = stage(logs.group, logs.commands, logs.events).dead_letters
    for created in logs.admin.create_topics([NewTopic(name, PARTITIONS, 1, config=DEAD_LETTER_CONFIG)]).values():
        created.result(30)
    await_(lambda: logs._led(name), seconds=30, what=f"a leader of {name}")
    return name


def test_bad_input_of_every_class_goes_aside_and_the_rest_counts_once(logs: Logs, dead: str, tmp_path: Path) -> None:
    sound: list[tuple[int, Sent]] = []
    for case_id in CASES:
        sound += [
            (at(sent), sent) for sent in (opening(case_id), command(case_id, ChangePriority(priority=Priority.P1)))
        ]
    later = [(at(sent), sent) for sent in (command(c, AddComment(message=Sealed.plain("later"))) for c in CASES)]
    bad = list(poison().values())
    astray = command(CASES[3], ChangePriority(priority=Priority.P2))
    astray_opening = opening(str(uuid.uuid4()))
    wrong = [((at(sent) + 1) % PARTITIONS, sent) for sent in (astray, astray_opening)]
    stumble = [
        (at(sent), sent)
        for sent in (
            command(STUMBLES, ChangeTitle(title=Sealed.plain("stumble"))),
            command(STUMBLES, ChangePriority(priority=Priority.P3)),
        )
    ]
    bomb = (at((b"bomb", None)), (b"bomb", b"\xa5" * 20_000_000))
    everywhere = [(partition, sent) for partition in range(PARTITIONS) for sent in bad]

    # First, in the middle, and last of what the worker finds; then a batch of nothing else.
    produce(logs, [*everywhere, *sound, *wrong, *everywhere, *stumble, *later, *everywhere])
    produce(logs, [bomb], **{"message.max.bytes": 100_000_000, "compression.type": "zstd"})
    with worker(logs, tmp_path, module=MODULE) as running:
        logs.await_folded()
        produce(logs, everywhere)
        logs.await_folded()
        assert running.process.poll() is None, running.text()
        assert running.terminate() == 0

    letters = Counter((m.key(), m.value()) for m in logs.read(dead))
    expected = Counter(dict.fromkeys(bad, 4 * PARTITIONS))
    expected.update(sent for _, sent in wrong)
    expected.update(sent for _, sent in stumble)
    # Of a parked case, what comes later follows.
    expected.update(sent for _, sent in later if sent[0] == stumble[0][1][0])
    expected[b"bomb", bomb[1][1][: BYTES - 4] if bomb[1][1] else None] = 1
    assert letters == expected

    causes = {m.value(): headers_of(m)["error"] for m in logs.read(dead)}
    assert "wrong_partition" in causes[astray[1]]
    assert "it stumbled" in causes[stumble[0][1][1]]
    assert causes[stumble[1][1][1]] == "the case is parked"

    events: dict[str, list[int | None]] = {}
    for message in logs.read(logs.events):
        decoded = codec.decode(message.value())
        assert message.partition() == partition_of(message.key(), PARTITIONS)
        events.setdefault(decoded.envelope.aggregate_id, []).append(decoded.envelope.version)
    assert events == {case_id: [1, 2] if case_id == STUMBLES else [1, 2, 3] for case_id in CASES}


def test_a_hole_in_the_log_ends_the_worker_with_nothing_behind_it_folded(logs: Logs, dead: str, tmp_path: Path) -> None:
    """The net is on where it counts: the mark of a transaction takes an offset that no reader is given."""
    producer = Producer({"bootstrap.servers": logs.bootstrap, "transactional.id": logs.group})
    producer.init_transactions(30)
    begun = opening(CASES[4])
    for sent in (begun, command(CASES[4], ChangePriority(priority=Priority.P1))):
        producer.begin_transaction()
        producer.produce(logs.commands, sent[1], sent[0], partition=at(begun))
        producer.commit_transaction(30)
    with worker(logs, tmp_path, module=MODULE) as running:
        assert running.await_end() == 70
        assert "hole" in running.text()

    assert len(logs.read(logs.events)) <= 1
    assert logs.read(dead) == []
    assert max(logs.committed()) <= 1


def test_what_is_too_large_for_events_or_changelog_is_refused_with_the_limit_and_the_rest_counts(
    logs: Logs, dead: str, tmp_path: Path
) -> None:
    """Fields are bounded, so it takes a fold that has a bug: sent, its effects would end the process again and again."""

    def swollen(size: int) -> Sent:
        return command(CASES[5], ChangeTitle(title=Sealed.plain(f"swell {size}")))

    sent = [
        opening(CASES[5]),
        # Over what an event may take, and over what rows may take together.
        swollen(1_200_000),
        opening(CASES[6]),
        swollen(950_000),
        # As much as fits.
        swollen(900_000),
        command(CASES[5], AddComment(message=Sealed.plain("later"))),
        command(CASES[6], AddComment(message=Sealed.plain("later"))),
    ]
    produce(logs, [(at(one), one) for one in sent])
    with worker(logs, tmp_path, module=MODULE) as running:
        logs.await_folded()
        assert running.terminate() == 0
    # The fat row is read back whole.
    with worker(logs, tmp_path, module=MODULE) as running:
        again = command(CASES[5], AddComment(message=Sealed.plain("once more")))
        produce(logs, [(at(again), again)])
        logs.await_folded()
        assert running.terminate() == 0

    said: dict[str, list[Any]] = {}
    for message in logs.read(logs.events):
        decoded = codec.decode(message.value())
        said.setdefault(decoded.envelope.aggregate_id, []).append(decoded.body)
    refused = [body for body in said[CASES[5]] if isinstance(body, CommandRejected)]
    assert [type(body).__name__ for body in said[CASES[5]]] == [
        *("CaseOpened", "CommandRejected", "CommandRejected", "CaseTitleChanged", "CommentAdded", "CommentAdded"),
    ]
    assert [body.code for body in refused] == 2 * ["command.too_large"]
    assert all("the limit is" in body.detail for body in refused)
    assert [type(body).__name__ for body in said[CASES[6]]] == ["CaseOpened", "CommentAdded"]
    assert logs.read(dead) == []
