"""Letters are appended again where they stood, each once, however often and wherever a redrive is cut off."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from infra.cli.case.problem import Problem
from infra.cli.operate.appending import Record
from infra.cli.operate.claim import claimed
from infra.cli.operate.letter import REDRIVEN, Discard, headers_of
from infra.cli.operate.log import Bounds, Log, Place
from infra.cli.operate.plan import Deed, plan
from infra.cli.operate.redrive import Redrive
from infra.runtime.kafka import PRODUCER, create_topics
from schemas import codec
from schemas.topics import DEAD_LETTER_CONFIG
from streams.cases.commands import ChangeTitle
from streams.envelope import Envelope
from streams.text import Sealed

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]


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
        # In order, also where the first batches come before the new topic's leader and are sent again.
        producer = Producer({**PRODUCER, "bootstrap.servers": self.bootstrap, "log_level": 0})
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


def test_only_one_operator_is_at_work_at_a_time(topics: Topics) -> None:
    with claimed(topics.bootstrap, topics.dead):
        with pytest.raises(Problem, match="somebody else is at work"), claimed(topics.bootstrap, topics.dead, wait=0.3):
            pytest.fail("two have the claim")
        # The one who was refused has not taken the claim from the first.
        with pytest.raises(Problem, match="somebody else is at work"), claimed(topics.bootstrap, topics.dead, wait=0.0):
            pytest.fail("two have the claim")
    with claimed(topics.bootstrap, topics.dead, wait=0.0):
        pass


def test_of_many_that_begin_together_at_most_one_is_at_work(topics: Topics) -> None:
    at_work: list[int] = []
    most: list[int] = []
    gate = threading.Barrier(4)

    def run() -> bool:
        gate.wait(10)
        try:
            with claimed(topics.bootstrap, topics.dead, wait=0.0):
                at_work.append(1)
                most.append(len(at_work))
                time.sleep(0.3)
                at_work.pop()
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(), range(4)))
    assert max(most, default=0) <= 1
    with claimed(topics.bootstrap, topics.dead):
        pass


def test_a_claim_of_a_killed_operator_is_free_soon(topics: Topics) -> None:
    script = (
        "import sys, time\nfrom infra.cli.operate.claim import claimed\n"
        f"with claimed({topics.bootstrap!r}, {topics.dead!r}):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        with claimed(topics.bootstrap, topics.dead):
            pass
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()


def test_letters_that_were_given_up_are_not_pending_and_say_why(topics: Topics) -> None:
    topics.bury(["one", "two", "three"])
    work = topics.work()
    letters = [at for part in work.read().values() for at in part.pending]
    why = Discard(reason="of a broken client", by="ada", at="2031-01-01T00:00:00+00:00")
    work.discard(letters[:2], [], why)

    (partition,) = topics.work().read().values()
    assert [letter.offset for letter in partition.pending] == [2]
    assert partition.discarded == {0: why, 1: why}
    again = topics.work()
    again.carry_out(pending(again))
    assert topics.said() == ["three"]
