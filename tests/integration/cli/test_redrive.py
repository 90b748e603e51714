"""Letters are appended again where they stood, each once, however often and wherever a redrive is cut off."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from infra.cli.case.problem import Problem
from infra.cli.operate.letter import REDRIVEN, headers_of
from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.plan import Deed, plan
from infra.cli.operate.redrive import Record, Redrive
from infra.runtime.kafka import create_topics
from schemas import codec
from schemas.topics import DEAD_LETTER_CONFIG
from streams.cases.commands import ChangeTitle
from streams.envelope import Envelope
from streams.text import Sealed

pytestmark = pytest.mark.engines


@dataclass(frozen=True)
class Topics:
    """A topic and its dead letters, of two partitions, for one test."""

    bootstrap: str
    target: str
    group: str

    @property
    def dead(self) -> str:
        return f"{self.group}.dlq"

    def bury(self, names: Sequence[str], *, partition: int = 1) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for n, name in enumerate(names):
            stood = {"topic": self.target, "partition": str(partition), "offset": str(n), "error": "it stumbled"}
            producer.produce(self.dead, command(name), b"t/a", partition=0, headers=list(stood.items()))
        assert producer.flush(15) == 0

    def work(self) -> Redrive:
        return Redrive(self.bootstrap, self.group, self.dead)

    def said(self) -> list[str]:
        """The titles that came to the target, in order, and that they came to the right partition."""
        log = Log(self.bootstrap)
        found = []
        for message in log.read(log.bounds([self.target])):
            assert message.partition() == 1
            assert headers_of(message)[REDRIVEN].startswith(f"{self.dead}/0:")
            found.append(codec.decode(message.value()).body.title.text)
        return found


def command(title: str) -> bytes:
    said = str(uuid.uuid5(uuid.NAMESPACE_URL, title))
    envelope = Envelope(
        tenant_id="t",
        aggregate_id="a",
        id=said,
        correlation_id=said,
        source="api",
        actor="user:ada",
        occurred_at=1,
        recorded_at=1,
    )
    return codec.encode(envelope, ChangeTitle(title=Sealed.plain(title)))


@pytest.fixture
def topics(kafka_bootstrap: str) -> Topics:
    name = f"operate-{uuid.uuid4().hex[:8]}"
    made = Topics(kafka_bootstrap, name, f"group-{name}")
    settings = {made.target: {"cleanup.policy": "delete"}, made.dead: DEAD_LETTER_CONFIG}
    create_topics(kafka_bootstrap, settings, partitions=2)
    return made


def pending(work: Redrive) -> list[Deed]:
    return list(plan((at for part in work.read().values() for at in part.pending), parks=False).deeds)


def test_letters_go_back_in_order_and_a_second_run_finds_none(topics: Topics) -> None:
    names = [f"title {n}" for n in range(1_200)]
    topics.bury(names)
    work = topics.work()

    before = work.carry_out(pending(work))

    assert before == {Place(topics.target, 1): 0}
    assert topics.said() == names
    assert pending(topics.work()) == []


def test_what_is_buried_again_afterwards_is_a_letter_anew(topics: Topics) -> None:
    topics.bury(["one", "two"])
    work = topics.work()
    work.carry_out(pending(work))
    topics.bury(["one"])

    assert [len(deed.letters) for deed in pending(topics.work())] == [1]


@pytest.mark.parametrize("appends", [1, 2])
def test_a_run_that_is_cut_off_is_finished_by_the_next_and_doubles_nothing(
    topics: Topics, appends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1: its begin is marked and nothing is appended. 2: all is appended and its end is not marked."""
    topics.bury(["one", "two", "three"])
    work = topics.work()
    done: list[int] = []
    real = work._append

    def killed(records: Sequence[Record]) -> None:
        if len(done) == appends:
            raise KeyboardInterrupt
        done.append(len(records))
        real(records)

    deeds = pending(work)
    monkeypatch.setattr(work, "_append", killed)
    with pytest.raises(KeyboardInterrupt):
        work.carry_out(deeds)

    again = topics.work()
    again.carry_out(pending(again))

    assert topics.said() == ["one", "two", "three"]
    assert pending(topics.work()) == []


def test_a_run_that_is_cut_off_half_way_goes_on_behind_what_it_did(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics.bury(["one", "two", "three"])
    work = topics.work()
    real = work._append

    def half(records: Sequence[Record]) -> None:
        if len(records) == 3:
            real(records[:2])
            raise KeyboardInterrupt
        real(records)

    deeds = pending(work)
    monkeypatch.setattr(work, "_append", half)
    with pytest.raises(KeyboardInterrupt):
        work.carry_out(deeds)

    again = topics.work()
    again.carry_out(pending(again))

    assert topics.said() == ["one", "two", "three"]


def test_waiting_for_the_group_ends_when_it_has_taken_everything(topics: Topics) -> None:
    topics.bury(["one"])
    work = topics.work()
    before = work.carry_out(pending(work))
    assert not work.taken(before, seconds=0.0)
    member = Consumer({"bootstrap.servers": topics.bootstrap, "group.id": topics.group, "log_level": 0})
    try:
        member.commit(offsets=[TopicPartition(topics.target, 1, 1)], asynchronous=False)
    finally:
        member.close()
    assert work.taken(before, seconds=10.0)


def test_a_letter_of_a_topic_that_is_gone_is_refused_and_stays(topics: Topics) -> None:
    topics.bury(["one"], partition=7)
    work = topics.work()
    with pytest.raises(Problem, match="has no partition 7"):
        work.carry_out(pending(work))
    assert len(pending(topics.work())) == 1


def test_reading_ends_at_the_bounds_that_were_asked_for(topics: Topics) -> None:
    topics.bury(["one", "two", "three"])
    log = Log(topics.bootstrap)
    read = log.read({Place(topics.dead, 0): Bounds(1, 2), Place(topics.dead, 1): Bounds(0, 0)})
    assert [message.offset() for message in read] == [1]
    assert log.bounds(["no-such-topic"]) == {}
    assert log.committed("no-such-group") == {}
